// Interrupt context: the hardware's way in (uintr_entry_handler.S).
#pragma once

// Registered with the kernel; not to be called.
extern "C" void uintr_entry();
