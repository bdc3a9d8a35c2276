// A region: shared memory with the primitives that were made in it. Each thread that uses one has a mapping, and an open
// file description, of its own.
//
// Nothing is ever freed but the region as a whole: when the last process that maps it has let go of it.
#pragma once

#include <memory>
#include <string>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "sync/layout.h"
#include "sync/owner.h"

namespace uintr::sync {

// What another thread or process needs to find the memory, as a string that survives any channel: a process and a
// descriptor of it, which are only hints, and the identity, which proves what is found.
struct Handle {
  int32_t pid;
  int fd;
  uint64_t offset, identity;

  std::string text() const;
  static bool parse(const std::string& text, Handle* handle);
};

class Region {
 public:
  ~Region();
  Region(const Region&) = delete;

  // A new one of so many bytes, rounded up to pages, all of which exist from then on. Null: the error says why.
  static std::shared_ptr<Region> create(uint64_t bytes, JoinError* error);
  // What others made: a memfd, found by a handle or passed as a descriptor, which stays the caller's.
  static std::shared_ptr<Region> open(const Handle& handle, JoinError* error);
  static std::shared_ptr<Region> open(int fd, JoinError* error);
  // Would a handle find its region? Unknown: the error says why that cannot be told.
  enum class Presence { Here, Gone, Unknown };
  static Presence look_for(const Handle& handle, JoinError* error);
  // Part of a memfd that is there for other things as well. `bytes` at `offset`, multiples of pages, were zeroed at first.
  static std::shared_ptr<Region> inside(int fd, uint64_t offset, uint64_t bytes, JoinError* error);

  uint64_t bytes() const { return bytes_; }
  uint64_t identity() const { return identity_; }
  // Good for as long as this region is open in this process.
  Handle handle() const;
  // Another descriptor of the memory, close-on-exec, to be passed to other processes. Negative: the error says why.
  int duplicate(JoinError* error) const;

  // The object of that name, made where there is none; with an empty name always a new one. Null: no room, or the name
  // is another kind's.
  ObjectHeader* find_or_make(Kind kind, const std::string& name, JoinError* error);
  // The object at that line, as a handle has it; null: there is none of that kind.
  ObjectHeader* at(uint32_t line, Kind kind) const;
  uint32_t line_of(const ObjectHeader* object) const;
  // Lines of its words, all of which lie in this region.
  uint32_t lines_at(const ObjectHeader* object) const;

  // The calling thread's seats, taken when first asked for; kNobody: none is left.
  enum class Use { Blocking, Async };
  Owner seat(Use use, JoinError* error);
  // Is the thread there that took this seat for that life? Any thread of this process may ask; a system call.
  bool is_alive(Owner owner) const { return is_alive(seat_of(owner), life_of(owner)); }
  // Of the life only these bits are known.
  bool is_alive(uint32_t seat, uint32_t life, uint32_t known = ~0u) const;

 private:
  struct Open;
  Region() = default;
  static std::shared_ptr<Region> map(Fd fd, uint64_t offset, uint64_t bytes, JoinError* error);
  bool is_object(uint32_t line) const;
  ObjectHeader* object(uint32_t line) const { return reinterpret_cast<ObjectHeader*>(base_ + uint64_t{line} * kLine); }
  ObjectHeader* find(const std::string& name, uint32_t from, uint32_t until) const;
  RegionHeader& header() const { return *reinterpret_cast<RegionHeader*>(base_); }
  uint32_t lines() const { return static_cast<uint32_t>(bytes_ / kLine); }

  Fd fd_;  // of an open file description that nobody else has: the locks on the seats are its
  unsigned char* base_ = nullptr;
  uint64_t offset_ = 0, bytes_ = 0, identity_ = 0;
  Shared<Owner> seats_[2] = {};  // taken by the environment's thread; its helpers read them, too
};

// Lines of an object's words, without its header: as one is made here, and of any.
uint32_t lines_of(Kind kind);
uint32_t least_lines(Kind kind);
const char* name_of(Kind kind);

template <class Words>
Words& words_of(ObjectHeader* object) {
  return *reinterpret_cast<Words*>(object + 1);
}

}  // namespace uintr::sync
