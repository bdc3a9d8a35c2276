#include "drivers/uintr.h"

#include <cerrno>

#include "drivers/uintr_senders.h"
#include "drivers/uintr_thread.h"
#include "drivers/vectors.h"

namespace uintr {

bool UintrDriver::open(const UintrAbi& abi, const std::string& signal_name, JoinError* error) {
  if (!SignalDriver::open(signal_name, error) || !uintr_thread_open(abi, error)) return false;
  abi_ = &abi;
  identity_.kind = Kind::Uintr;
  // The RFC's kernels keep a vector busy while a peer of a closed world still holds its descriptor.
  std::vector<uint32_t> busy;
  JoinError why;
  bool more = true;
  while (more && !vector_fd_) {
    vector_fd_.reset(uintr_thread_fd(abi, identity_.vector, &why));
    if (vector_fd_ || why.error_number != EBUSY) break;
    busy.push_back(identity_.vector);
    more = take_vector(&why);
  }
  for (const uint32_t vector : busy) vector_give_back(vector);
  if (!vector_fd_ && error != nullptr) *error = why;
  return static_cast<bool>(vector_fd_);
}

// Peers registered their handlers before they joined, so their descriptors are good, unless they have gone again.
void UintrDriver::create(Joined* joined) {
  DriverBase::create(joined);
  for (uint32_t i = 0; i < joined->peers.size(); ++i) take_sender(i, joined);
}

void UintrDriver::take_sender(uint32_t peer, Joined* joined) {
  const Peer& p = joined->peers[peer];
  if (peer == joined->rank || !p.vector_fd) return;
  const int32_t index = uintr_sender_take(*abi_, p.nonce, p.vector_fd.get(), nullptr);
  if (index == kNoUittIndex) return;
  senders_.push_back({peer, p.nonce});
  use_uitt_index(peer, index, joined);
}

void UintrDriver::replace(uint32_t peer, Joined* joined) {
  std::erase_if(senders_, [&](const Sender& sender) {
    if (sender.peer == peer) uintr_sender_give_back(*abi_, sender.receiver);
    return sender.peer == peer;
  });
  SignalDriver::replace(peer, joined);
  take_sender(peer, joined);
}

bool UintrDriver::still_ours() {
  if (!SignalDriver::still_ours()) SignalDriver::fall_back();
  return true;
}

UintrDriver::~UintrDriver() {
  detach();
  for (const Sender& sender : senders_) uintr_sender_give_back(*abi_, sender.receiver);
  vector_fd_.reset();
  if (abi_ != nullptr) uintr_thread_close(*abi_);
}

}  // namespace uintr
