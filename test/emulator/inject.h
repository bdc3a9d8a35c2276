// Seeded mischief that the hardware, the scheduler and the interconnect are entitled to.
#pragma once

#include "thread.h"

namespace emulator {

void inject_start(Thread& t);

// Sender: between setting PIR and setting ON. Real senduipi is one instruction; the software doorbell is not.
void inject_between_steps(Thread& t);
// Sender: ON is set, the notification is still on its way.
void inject_before_notification(Thread& t);
// Receiver, in its notification handler: descheduled for a while with SN set, or late.
void inject_on_notification(Thread& t);

// Receiver: spurious notifications at random times.
void inject_timer_on(Thread& t);
void inject_timer_off(Thread& t);
void inject_timer_again(Thread& t);

}  // namespace emulator
