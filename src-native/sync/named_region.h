// Regions by name. Memory has no name of its own: what has one is a list of those who have the region open, each by its
// handle, in the directory of named worlds (bootstrap/named.h), where only this user can write:
//
//   NAME@region.PIDNS.users   a handle, and its process's start, per line; those of the dead lead nowhere, and are left out by the next who comes
//   NAME@region.PIDNS.lock    held while the list is read and replaced
//
// So the region lives as long as somebody has it open, whoever made it, and a crash leaves a few lines of text behind.
#pragma once

#include <memory>
#include <string>

#include "sync/region.h"

namespace uintr::sync {

// One's line in the list, which the destructor takes back.
class NamedUse {
 public:
  ~NamedUse();
  NamedUse(const NamedUse&) = delete;

 private:
  friend std::shared_ptr<Region> open_named(const std::string&, const std::string&, const std::string&, uint64_t,
                                            std::unique_ptr<NamedUse>*, JoinError*);
  NamedUse(Fd directory, std::string name, Handle handle)
      : directory_(std::move(directory)), name_(std::move(name)), handle_(handle) {}

  Fd directory_;
  std::string name_;
  Handle handle_;
};

// The region of that name of this user's; where nobody has it open a new one of so many bytes. Null: the error says why.
std::shared_ptr<Region> open_named(const std::string& runtime_dir, const std::string& home, const std::string& name,
                                   uint64_t bytes, std::unique_ptr<NamedUse>* use, JoinError* error);

}  // namespace uintr::sync
