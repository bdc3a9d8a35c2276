#include "instructions.h"

#include "receiver.h"
#include "stats.h"
#include "uitt.h"

namespace emulator {
namespace {

// By the register's number in the encoding.
constexpr int kRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

Outcome senduipi(Thread& t, Context* c, int which, int length) {
  if (!uitt_in_use()) return Outcome::NotOurs;
  const auto index = static_cast<uint64_t>(reg(c, kRegisters[which]));
  if (!uitt_valid(index)) return Outcome::Protection;
  reg(c, REG_RIP) += length;
  uitt_send(t, index);
  return Outcome::Done;
}

void testui(Thread& t, Context* c) {
  // CF = UIF; AF, OF, PF, SF and ZF are cleared (SDM, TESTUI).
  constexpr greg_t kCarry = 1, kOthers = 0x8d4;
  reg(c, REG_EFL) = (reg(c, REG_EFL) & ~(kCarry | kOthers)) | (t.uif ? kCarry : 0);
}

}  // namespace

// A byte is looked at only when those before it are those of one of the instructions: the page may end there.
Outcome execute(Thread& t, Context* c) {
  const auto* code = reinterpret_cast<const uint8_t*>(reg(c, REG_RIP));
  if (code[0] != 0xf3) return Outcome::NotOurs;
  const int rex = (code[1] & 0xf0) == 0x40 ? code[1] : 0;
  const uint8_t* op = code + (rex != 0 ? 2 : 1);
  if (op[0] != 0x0f) return Outcome::NotOurs;
  const int length = static_cast<int>(op - code) + 3;
  if (op[1] == 0xc7 && (op[2] & 0xf8) == 0xf0) return senduipi(t, c, (op[2] & 7) | (rex & 1) << 3, length);
  if (op[1] != 0x01) return Outcome::NotOurs;
  switch (op[2]) {
    case 0xec:
      undo_delivery(t, c);
      return Outcome::Done;
    case 0xed:
      testui(t, c);
      break;
    case 0xee:
      t.uif = false;
      break;
    case 0xef:
      t.uif = true;
      break;
    default:
      return Outcome::NotOurs;
  }
  reg(c, REG_RIP) += length;
  return Outcome::Done;
}

}  // namespace emulator
