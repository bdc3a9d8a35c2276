// Messages that are lent: a rank looks at the memory of another until it lets go, and whoever has lent it has it back
// then and not before.
#include <cstring>

#include "rank.h"

namespace simulator {

using namespace uintr;

void Rank::borrow(const Request& r, const Completion& c) {
  Loan loan{r.handle, 0, nullptr, c.length};
  uintr::Loan said;
  if (!engine()->loan(r.handle, &said) || said.lender != c.source || (said.offset | kLent) != c.heap_offset ||
      said.length != c.length)
    wrong(r, c, "a loan that the engine does not know");
  loan.at = world_->heap(said.lender) + said.offset;
  bytes_.resize(c.length);
  machine().look(bytes_.data(), loan.at, c.length);
  std::string why = world_->model.received(r.id, c, bytes_.data());
  if (!why.empty()) machine().fail("%s", why.c_str());
  Receipt& receipt = world_->model.receipt(r.id);
  receipt.over = true;
  loan.message = receipt.message;
  const Message& m = world_->model.message(loan.message);
  if (m.over && m.error == Error::None) wrong(r, c, "what is lent had been given back before");
  loans_.push_back(loan);
  world_->borrow(rank_, loan.message);
  machine().trace("borrows %s", world_->model.text(m).c_str());
  if (!keeps_) release();
}

// What it looks at must be the message still.
void Rank::check_loan(const Loan& loan) {
  bytes_.resize(loan.length);
  machine().look(bytes_.data(), loan.at, loan.length);
  for (uint64_t i = 0; i < loan.length; ++i) {
    if (bytes_[i] != Model::byte(loan.message, i)) machine().fail("rank %u: what is lent to it has changed", rank_);
  }
}

void Rank::release(size_t index) {
  if (index >= loans_.size()) return;
  Loan loan = loans_[index];
  loans_.erase(loans_.begin() + static_cast<std::ptrdiff_t>(index));
  machine().trace("releases message %u", loan.message);
  check_loan(loan);
  world_->let_go(rank_, loan.message);
  engine()->give_back(loan.handle);
}

void Rank::release_all() {
  keeps_ = false;
  while (!loans_.empty()) release();
}

// The engine lets go of them by itself.
void Rank::forget_loans() {
  for (const Loan& loan : loans_) {
    check_loan(loan);
    world_->let_go(rank_, loan.message);
  }
  loans_.clear();
}

// A send that was lent is over. Where its buffer is its own again, it writes there.
void Rank::check_returned(const Request& r) {
  if (r.error == Error::Closed || r.error == Error::Timeout) return;
  uint32_t borrower = world_->borrower(r.id);
  if (borrower != kNone) {
    machine().fail("rank %u has a message back (error %u) while rank %u looks at it", rank_,
                   static_cast<unsigned>(r.error), borrower);
  }
  machine().fence();
  std::memset(r.buffer, 0xdd, r.length);
}

}  // namespace simulator
