#include "addon/loop.h"

#include <algorithm>

#include "addon/world.h"

namespace uintr {
namespace {

// Rounds of "something came in meanwhile" before the loop gets its turn again. Without a bound two ranks that answer
// each other at once would keep timers and I/O waiting.
constexpr int kRounds = 8;

// Polls before the loop sleeps, if somebody here waits for something, messages come fast, and nobody needs this
// processor to send one.
void spin(World* world) {
  if (world->options().spin_microseconds <= 0 || world->exchange().active == 0 || world->crowded()) return;
  uint64_t now = uv_hrtime();
  const uint64_t window = world->pace().idle(now);
  if (window == 0) return;
  const uint64_t end = now + window;
  Engine* engine = world->engine();
  engine->begin_polling();
  do {
    world->advance(Effort::Idle);
    now = uv_hrtime();
    if (world->has_news()) {
      world->pace().arrived(now);
      break;
    }
    engine->record_turn(Attention::Polling);
    arch::relax();
  } while (now < end);
  engine->resume(false);
}

}  // namespace

bool Loop::start(uv_loop_t* uv, int fd, World* world) {
  world_ = world;
  // In this order, so that a failure leaves no handle to close: only uv_poll_init can fail.
  if (uv_poll_init(uv, &poll_, fd) != 0) return false;
  uv_prepare_init(uv, &prepare_);
  uv_check_init(uv, &check_);
  uv_timer_init(uv, &timer_);
  uv_timer_init(uv, &kick_);
  poll_.data = prepare_.data = check_.data = timer_.data = kick_.data = this;
  uv_poll_start(&poll_, UV_READABLE, on_poll);
  uv_prepare_start(&prepare_, on_prepare);
  uv_check_start(&check_, on_check);
  for (auto* handle : {reinterpret_cast<uv_handle_t*>(&poll_), reinterpret_cast<uv_handle_t*>(&prepare_),
                       reinterpret_cast<uv_handle_t*>(&check_), reinterpret_cast<uv_handle_t*>(&timer_),
                       reinterpret_cast<uv_handle_t*>(&kick_)}) {
    uv_unref(handle);
  }
  open_ = 5;
  return true;
}

void Loop::ref() {
  if (!closing_) uv_ref(reinterpret_cast<uv_handle_t*>(&poll_));
}

void Loop::unref() {
  if (!closing_) uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
}

void Loop::close(void (*done)(World*)) {
  if (closing_) return;
  closing_ = true;
  done_ = done;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&check_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_close);
  uv_close(reinterpret_cast<uv_handle_t*>(&kick_), on_close);
}

void Loop::come_back(uint64_t ms) {
  if (closing_) return;
  uv_update_time(timer_.loop);  // what JavaScript has taken does not count
  uv_timer_start(&timer_, [](uv_timer_t*) {}, ms, 0);
}

void Loop::watch_for_answers() {
  if (closing_ || uv_is_active(reinterpret_cast<uv_handle_t*>(&kick_)) != 0) return;
  kick_after_ = kick_after_ == 0 ? kFirstKickMs : std::min(kick_after_ * 2, kLastKickMs);
  uv_update_time(kick_.loop);  // as above
  uv_timer_start(&kick_, on_unanswered, kick_after_, 0);
}

void Loop::stop_watching() {
  if (kick_after_ == 0) return;
  kick_after_ = 0;
  uv_timer_stop(&kick_);
}

void Loop::on_unanswered(uv_timer_t* handle) {
  Engine* engine = static_cast<Loop*>(handle->data)->world_->engine();
  if (engine != nullptr && engine->unanswered()) engine->kick();
}

void Loop::on_close(uv_handle_t* handle) {
  auto* self = static_cast<Loop*>(handle->data);
  if (--self->open_ == 0) self->done_(self->world_);
}

// The loop sleeps now, and nobody need wake it for any of these.
void Loop::set_timers() {
  // An interrupt may have been lost: whoever is between the two steps of one can be killed or stopped there.
  if (world_->engine()->unanswered())
    watch_for_answers();
  else
    stop_watching();
  // The program may let go of memory; also a receive that has stalled in these last polls is one to look after.
  if (world_->engine()->waits_for_memory()) come_back(world_->collect_in());
}

// Nothing that the program waits for is under way: the loop ends where nothing else keeps it. libuv finds out how long to
// sleep after prepare, so that is in time.
void Loop::let_go_if_unwanted() {
  Exchange& exchange = world_->exchange();
  if (exchange.wanted != 0 || exchange.referenced == 0) return;
  exchange.referenced = 0;
  unref();
}

// The loop is about to sleep. Whatever is complete is delivered first, and peers are told that from now on a notice
// must wake: prepare_sleep() publishes that and then looks once more (SYNC POINT: attention). Whether the loop will
// really sleep (timers, setImmediate) is not known here for certain, and telling them costs little.
void Loop::on_prepare(uv_prepare_t* handle) {
  Loop& loop = *static_cast<Loop*>(handle->data);
  World* world = loop.world_;
  if (world->engine() == nullptr || world->settle_if_ending()) return;
  loop.let_go_if_unwanted();
  world->check_driver();
  bool more = world->advance(Effort::Idle);
  world->relieve_stalled();
  world->deliver();
  if (world->engine() == nullptr) return;  // JavaScript closed it
  for (int round = 0; round < kRounds; ++round) {
    // Again after what was delivered: whoever gets an answer at once may get the next one, too.
    if (!more && !world->has_news() && uv_backend_timeout(loop.poll_.loop) != 0) spin(world);
    if (!more && !world->has_news() && world->engine()->prepare_sleep(Attention::Sleeping)) {
      loop.let_go_if_unwanted();  // what was wanted may have been delivered right here
      return loop.set_timers();
    }
    more = world->advance(Effort::Idle);
    world->deliver();
    if (world->engine() == nullptr) return;
  }
  world->ring_self();
}

void Loop::on_check(uv_check_t* handle) {
  World* world = static_cast<Loop*>(handle->data)->world_;
  if (world->engine() == nullptr) return;
  world->engine()->resume(false);
  world->deliver();
}

// Node runs I/O callbacks, this one among them, between prepare and check; the rank counts as sleeping until check.
void Loop::on_poll(uv_poll_t* handle, int, int) {
  World* world = static_cast<Loop*>(handle->data)->world_;
  if (world->engine() == nullptr) return;
  world->engine()->record_turn(Attention::Computing);
  world->look_around(0);
  if (world->advance(Effort::Idle)) world->ring_self();
  if (world->has_news()) world->pace().arrived(uv_hrtime());
  world->deliver();
}

}  // namespace uintr
