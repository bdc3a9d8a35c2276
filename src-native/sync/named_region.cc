#include "sync/named_region.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "bootstrap/named.h"
#include "sync/futex.h"

namespace uintr::sync {
namespace {

// The list is held for some microseconds; who holds it longer is stopped.
constexpr uint64_t kPatienceNs = 5'000'000'000;
constexpr uint64_t kLeavingPatienceNs = 20'000'000;
constexpr size_t kMostBytes = size_t{256} * 1024;

// Names of worlds have no @.
std::string place_of(const std::string& name) { return name + "@region"; }
std::string list_of(const std::string& name) { return place_of(name) + ".users"; }

bool take(NameHold* hold, const Fd& directory, const std::string& name, uint64_t patience, JoinError* error) {
  const uint64_t end = now_ns() + patience;
  for (;;) {
    switch (hold->take(directory, place_of(name), error)) {
      case NameHold::Outcome::Held:
        return true;
      case NameHold::Outcome::Failed:
        return false;
      case NameHold::Outcome::Busy:
        break;
    }
    if (now_ns() >= end) {
      return fail(error, "ERR_UINTR_TIMEOUT",
                  "the list of region '" + name + "' is held by a process that does not go on; is it stopped?");
    }
    const timespec a_while{0, 200'000};
    nanosleep(&a_while, nullptr);
  }
}

// What it says; anything that is no handle is left out.
std::vector<Handle> read_list(const Fd& directory, const std::string& name) {
  std::vector<Handle> handles;
  const Fd file(openat(directory.get(), list_of(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::string text(kMostBytes, '\0');
  const ssize_t n = file ? read(file.get(), text.data(), text.size()) : 0;
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    Handle handle{};
    if (Handle::parse(text.substr(from, end - from), &handle)) handles.push_back(handle);
    from = end + 1;
  }
  return handles;
}

// As a whole or not at all, whenever this process may be killed.
bool write_list(const Fd& directory, const std::string& name, const std::vector<Handle>& handles, JoinError* error) {
  const std::string made = place_of(name) + ".new", what = "the list of region '" + name + "'";
  std::string text;
  for (const Handle& handle : handles) text += handle.text() + '\n';
  unlinkat(directory.get(), made.c_str(), 0);
  const Fd file(openat(directory.get(), made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail_syscall(error, "open", errno, what);
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_syscall(error, "write", errno, what);
  }
  return renameat(directory.get(), made.c_str(), directory.get(), list_of(name).c_str()) == 0 ||
         fail_syscall(error, "rename", errno, what);
}

bool same(const Handle& a, const Handle& b) { return a.pid == b.pid && a.fd == b.fd && a.identity == b.identity; }

}  // namespace

std::shared_ptr<Region> open_named(const std::string& runtime_dir, const std::string& home, const std::string& name,
                                   uint64_t bytes, std::unique_ptr<NamedUse>* use, JoinError* error) {
  Fd directory;
  std::string path;
  NameHold hold;
  if (!valid_name(name, error) || !open_directory(runtime_dir, home, &directory, &path, error) ||
      !take(&hold, directory, name, kPatienceNs, error)) {
    return nullptr;
  }
  std::shared_ptr<Region> region;
  std::vector<Handle> alive;
  for (const Handle& handle : read_list(directory, name)) {
    if (region != nullptr && (handle.identity != region->identity() || !Region::is_there(handle))) continue;
    if (region == nullptr) region = Region::open(handle, error);
    if (region == nullptr && is_shortage(error->error_number)) return nullptr;
    if (region != nullptr) alive.push_back(handle);
  }
  if (region == nullptr) region = Region::create(bytes, error);
  if (region == nullptr) return nullptr;
  alive.push_back(region->handle());
  if (!write_list(directory, name, alive, error)) return nullptr;
  use->reset(new NamedUse(std::move(directory), name, region->handle()));
  return region;
}

NamedUse::~NamedUse() {
  NameHold hold;
  JoinError ignored;
  // If not, the line stays, and leads nowhere.
  if (!take(&hold, directory_, name_, kLeavingPatienceNs, &ignored)) return;
  std::vector<Handle> others;
  for (const Handle& handle : read_list(directory_, name_)) {
    if (!same(handle, handle_) && Region::is_there(handle)) others.push_back(handle);
  }
  if (others.empty())
    unlinkat(directory_.get(), list_of(name_).c_str(), 0);
  else
    write_list(directory_, name_, others, &ignored);
}

}  // namespace uintr::sync
