// One rank's membership of one world: the engine, the memory it stands on, and how the two are brought down in order.
// Everything here belongs to the JavaScript thread that joined.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "addon/backing_store.h"
#include "addon/block.h"
#include "addon/exchange.h"
#include "addon/habit.h"
#include "addon/js.h"
#include "addon/loop.h"
#include "addon/offer.h"
#include "addon/pace.h"
#include "addon/schedule.h"
#include "addon/timeline.h"
#include "addon/uncounted.h"
#include "bootstrap/bootstrap.h"
#include "drivers/driver.h"
#include "engine/engine.h"

namespace uintr {

struct Instance;

struct WorldOptions {
  uint32_t slice_bytes = 0;      // 0: the engine chooses
  double spin_microseconds = 0;  // before the event loop sleeps, where messages come fast
};

// What the addon remembers of a request slot. All zero is empty.
struct SlotNote {
  Handle handle;       // the latest that was posted in this slot
  BackingStore bytes;  // of a buffer that a peer may touch
  bool allocates;      // a receive without a buffer
  std::unique_ptr<PostedSchedule> schedule;  // a collective operation
};

class World : public std::enable_shared_from_this<World> {
 public:
  // Null with *error: no memory. On success the world's peers may talk to it at once.
  static std::shared_ptr<World> open(napi_env env, std::unique_ptr<Joined> joined, std::unique_ptr<Driver> driver,
                                     const WorldOptions& options, JoinError* error);
  ~World();

  // The object that JavaScript holds; `on_batch(count)` is called with each batch that the event loop brings.
  napi_value object(napi_value on_batch);

  napi_env env() const { return env_; }
  // Null once the world is closed.
  Engine* engine() const { return engine_; }
  Joined& joined() const { return *joined_; }
  Driver& driver() const { return *driver_; }
  Exchange& exchange() const { return *exchange_; }
  Loop& loop() { return loop_; }
  const WorldOptions& options() const { return options_; }
  // Empty: nothing is recorded. Outlives close(), for whoever reads what is in it.
  Timeline& timeline() { return timeline_; }
  uint32_t rank() const { return rank_; }
  const char* driver_name() const { return driver_lost_ ? "poll" : driver_name_; }
  // Remembers what was posted; `array_buffer` is what holds its bytes, null for a receive without a buffer.
  void remember(Handle handle, napi_value array_buffer);
  void remember(Handle handle, std::unique_ptr<PostedSchedule> schedule);
  // The same of a message that was taken to be received later.
  SlotNote& remember_name(Handle handle);
  Handle handle_in(uint32_t slot) const { return slot < noted_ ? notes_[slot].handle : kNoHandle; }

  // ---- blocks that JavaScript holds; also after close(), which they outlive ----
  void note(Block* block);
  void forget(Block* block);
  // Null: none begins there.
  Block* block_at(const void* data) const;
  // Null: nothing is lent under that name.
  Block* loan_of(Handle handle) const;
  const std::unordered_map<Handle, Block*>& loans() const { return loans_; }
  Uncounted& uncounted() { return uncounted_; }
  // Whether it lies in the own arena, and so can be lent.
  bool owns(const void* data, uint64_t bytes) const;
  // Gives back the blocks that no ArrayBuffer has any more. True: there were some.
  bool reclaim();
  // Has garbage collected, and then that. Costs milliseconds.
  bool collect_garbage();

  // ---- progress -------------------------------------------------------------
  // Moves up to kBatch completions and news into the exchange. Returns how many.
  uint32_t take_batch();
  bool has_news() const {
    return engine_->has_completions() || next_news_ < news_.size() || engine_->has_sightings();
  }
  // progress() with what belongs to it outside a handler. True: there is more to do right now.
  bool advance(Effort effort);
  // Hands everything that is complete to JavaScript, from the loop.
  void deliver();
  // Takes note of deaths and of rings; waits up to timeout_ms for one.
  void look_around(int timeout_ms);
  // The same without waiting, at most every few milliseconds; cheap enough for every call.
  void look_around_sometimes();
  // Do the ranks share processors? Then whoever polls may hold up the one it polls for.
  bool crowded();
  Pace& pace() { return pace_; }
  Habit& habit() { return habit_; }
  // The longest message that goes through a ring; longer ones are copied by whoever has time.
  uint32_t eager_limit() const { return eager_limit_; }
  // Blocks this thread up to `ms`, or less where there is something to look after, until there is a batch. Returns its size.
  uint32_t wait_slice(double ms);
  bool glance();
  // What is complete is about to be handed over: waits a moment for more where more comes fast.
  void gather();
  // Where receives without a buffer wait for memory: finds what it can without the program (memory.cc).
  void relieve_stalled();
  // Fails a receive that waits for memory which nobody but the program could give back. False: it does not.
  bool give_up(Handle handle);
  // After how many ms relieve_stalled() would next collect.
  uint64_t collect_in() const;
  // Makes the event loop come back instead of sleeping.
  void ring_self();
  // Makes the rank that waits at the door a peer again, in the life that waits there. False: nobody does any more.
  bool let_in(uint32_t peer, Joined::Returning* who);
  void admitted(uint32_t peer);
  // Notices that the program took the signal over: at once where that is known (signal_guard.h), else within a second.
  void check_driver();

  // ---- the end --------------------------------------------------------------
  // Whether the environment is ending, without close(); then nothing of this rank's memory is touched any more. For the
  // loop, which turns once more before memory goes that is not this addon's to keep (settle_for_teardown).
  bool settle_if_ending();
  // Publishes `life` and gives everything back. `done`, if not null, is called from the loop when all of that is over.
  void close(Life life, napi_value done);
  // For exit(): what peers read after this process has gone.
  void publish_exit();

 private:
  World() = default;
  static void on_teardown(napi_async_cleanup_hook_handle handle, void* self);
  void settle_for_teardown();
  bool thread_inside_copy() const;
  void tell_gone(uint32_t peer, Cause cause);
  void tell_closed();
  void answer_door();
  void bury(const std::vector<uint32_t>& dead);
  void leave_remains();
  void let_go();
  void release_memory();

  napi_env env_ = nullptr;
  const Instance* instance_ = nullptr;  // of the environment
  uv_loop_t* uv_ = nullptr;
  uint32_t rank_ = 0;
  const char* driver_name_ = "";
  WorldOptions options_;
  const unsigned char* heap_ = nullptr;  // where the own heap is mapped while there are blocks
  uint64_t heap_bytes_ = 0;
  std::unordered_map<uint64_t, Block*> blocks_;  // by offset
  std::unordered_map<Handle, Block*> loans_;
  Uncounted uncounted_;

  Timeline timeline_;

  // Destroyed in this order: the engine's last word, the driver, the notes, what was joined.
  Engine* engine_ = nullptr;
  std::unique_ptr<Driver> driver_;
  SlotNote* notes_ = nullptr;
  void* memory_ = nullptr;  // of the engine and the notes
  uint64_t memory_bytes_ = 0;
  uint32_t noted_ = 0;  // slots from here on were never used
  std::vector<uint32_t> touching_;  // peers that may have been inside a copy when the world was closed
  std::unique_ptr<Joined> joined_;

  Loop loop_;
  js::Callback on_batch_, on_closed_;
  Exchange* exchange_ = nullptr;
  napi_ref exchange_ref_ = nullptr;

  std::vector<Completion> news_;
  size_t next_news_ = 0;
  std::vector<bool> told_gone_;  // by rank
  uint32_t closed_told_ = 0;     // of Engine::closed_peers()
  uint64_t looked_at_ = 0;   // cycles
  uint32_t allocating_ = 0;  // receives without a buffer in flight
  static constexpr uint64_t kFirstCollectMs = 50;
  uint64_t collect_after_ = kFirstCollectMs;  // ms
  uint64_t collect_at_ = 0;                   // ns: not before
  bool collected_ = false;                    // in this slice of wait()
  bool driver_lost_ = false;
  uint64_t driver_checked_at_ = 0;  // ns
  uint32_t signal_changes_ = 0;     // of disposition_changes()
  uint64_t kick_at_ = 0;            // ns; wait.cc
  uint64_t kick_after_ = 0;         // ns
  Pace pace_{0};       // of the event loop
  Pace wait_pace_{0};  // of wait()
  Habit habit_{0};
  uint32_t eager_limit_ = 0;
  Offer offer_;
  uint32_t glances_refused_ = 0, gathers_refused_ = 0;  // waits
  int crowded_ = -1;  // crowded(); not looked up yet

  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool tearing_down_ = false;
  bool settled_ = false;  // nothing is under way, and nothing will be
};

}  // namespace uintr
