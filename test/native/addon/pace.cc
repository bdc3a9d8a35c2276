// When the event loop polls before it sleeps.
// sources:
#include "addon/pace.h"

#include "check.h"

using uintr::Pace;

constexpr uint64_t kUs = 1000;

TEST("01 nothing has come yet: sleep at once") {
  Pace pace(50);
  CHECK_EQ(pace.idle(1), 0u);
}

TEST("02 after a message that came soon, poll for the window") {
  Pace pace(50);
  pace.idle(1);
  pace.arrived(1 + 99 * kUs);
  CHECK_EQ(pace.idle(200 * kUs), 50 * kUs);
}

TEST("03 after one that took long, sleep at once again") {
  Pace pace(50);
  pace.idle(1);
  pace.arrived(2);
  CHECK_EQ(pace.idle(3), 50 * kUs);
  pace.arrived(3 + 100 * kUs);
  CHECK_EQ(pace.idle(1000 * kUs), 0u);
}

TEST("04 a message while the loop is busy says nothing about waiting") {
  Pace pace(50);
  pace.idle(1);
  pace.arrived(2);
  pace.arrived(5000 * kUs);
  CHECK_EQ(pace.idle(6000 * kUs), 50 * kUs);
}

TEST("05 a window of 0 never polls") {
  Pace pace(0);
  pace.idle(1);
  pace.arrived(1);
  CHECK_EQ(pace.idle(2), 0u);
}

CHECK_MAIN("pace")
