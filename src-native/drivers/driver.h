// How one rank interrupts another: 'uintr', 'signal' or 'poll', behind one interface. All functions belong to
// the rank's JavaScript thread.
//
//   1. prepare()            before join: installs the handler, so that no interrupt can come too early
//   2. join() with identity()
//   3. create()             after join: ports() for Setup::ports
//   4. attach(engine)       the handler runs it from now on; runs it once, for what came in meanwhile
//   5. still_ours()         now and then; false: call fall_back()
//   6. destructor           after the engine's last word: peers stop signalling, the handler goes, and with the last
//   rank
//                           of the process so does the disposition
#pragma once

#include <memory>
#include <string>

#include "bootstrap/error.h"
#include "bootstrap/join.h"
#include "engine/engine.h"

namespace uintr {

struct DriverOptions {
  // Auto: the best that works here; the option `driver`.
  enum class Choice { Auto, Uintr, Signal, Poll } choice = Choice::Auto;
  std::string signal = "SIGURG";  // the option `signal`
};

// "SIGURG", "SIGUSR2", "SIGRTMIN+3", "SIGRTMAX-1" → its number. False, with the reason, for one that is unknown or in
// use by Node, V8 or the kernel.
bool parse_signal(const std::string& name, int* signal_number, JoinError* error);

// Whether that is one of those signals.
bool signal_is_usable(int signal_number);

class Driver {
 public:
  using Kind = DriverIdentity::Kind;

  // Takes a vector (63 downward, per thread) and installs what the driver needs. Null, with *error, if the driver was
  // asked for by name and does not work, or a handler of the program's own is in the way.
  static std::unique_ptr<Driver> prepare(const DriverOptions& options, JoinError* error);
  virtual ~Driver() = default;

  virtual Kind kind() const = 0;
  const char* name() const;  // 'uintr' | 'signal' | 'poll'
  virtual DriverIdentity identity() const = 0;

  // `joined` must outlive the driver. For Ports::commit it takes Joined::commit.
  virtual void create(Joined* joined) = 0;
  // Another process or thread has come back as that rank. To be called while the engine holds it for gone, and so no
  // handler uses what is known of it.
  virtual void replace(uint32_t peer, Joined* joined) = 0;
  virtual Ports ports() = 0;
  virtual bool interrupts() const = 0;       // for Setup::interrupts
  virtual bool interrupt_wakes() const = 0;  // for Setup::interrupt_wakes
  virtual int vector_fd() const = 0;         // for JoinRequest::vector_fd
  virtual void attach(Engine* engine) = 0;
  // Before the engine is destroyed; the destructor does it too.
  virtual void detach() = 0;

  // False once the program has put its own handler in the place of ours.
  virtual bool still_ours() = 0;
  // Tells peers not to interrupt this rank any more (SN in its UPID); it goes on as with driver 'poll'.
  virtual void fall_back() = 0;
};

}  // namespace uintr
