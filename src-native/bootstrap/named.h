// Named worlds: where the socket of a name lies, and who holds the name.
//
//   $XDG_RUNTIME_DIR/uintr/ (else $HOME/.uintr/), mode 0700, owned by this user
//     NAME.lock   flock: whoever holds it hosts the hub; released by the kernel when its process ends
//     NAME.sock   the hub's socket; a stale one is replaced by the next holder of the lock
//     NAME@3.lock, NAME@3.sock   in an elastic world rank 3's place: held, and listened at, as long as rank 3 is there
#pragma once

#include <string>
#include <vector>

#include "bootstrap/error.h"
#include "bootstrap/fd.h"

namespace uintr {

// 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot.
bool valid_name(const std::string& name, JoinError* error);

// The directory of names, made if need be and checked.
bool open_directory(const std::string& runtime_dir, const std::string& home, Fd* directory, std::string* path,
                    JoinError* error);

// A name that this process holds. The destructor gives it back and removes both files.
class NameHold {
 public:
  enum class Outcome { Held, Busy, Failed };
  // Does not block. Busy: another process (or world of this one) holds it.
  Outcome take(const Fd& directory, const std::string& name, JoinError* error);
  // A listening socket at the name's place; replaces what lies there. Holders only.
  bool listen(Fd* listener, JoinError* error);
  // As the destructor does.
  void give_back();
  ~NameHold() { give_back(); }

 private:
  Fd directory_, lock_;
  std::string name_;
  bool bound_ = false;
};

// Under which name a rank of an elastic world holds its place. No world has that name.
std::string place_of(const std::string& world, uint32_t rank);
// The ranks whose places have a socket, whether or not somebody is still there.
std::vector<uint32_t> places_of(const Fd& directory, const std::string& world);

// Nobody: none listens there now; Busy: one does, and more wait already than it can have waiting. Try again later.
enum class Connect { Connected, Nobody, Busy, Failed };
// `pid`, if not null: whose socket it is.
Connect connect_to_name(const Fd& directory, const std::string& name, Fd* socket, JoinError* error,
                        int32_t* pid = nullptr);

}  // namespace uintr
