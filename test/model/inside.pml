/* Who is about to look is not interrupted (docs/protocol.md, "Notices"; Core::notify, looks_by_itself, say_inside and
 * come_out in engine/notice.cc; the mask in engine/engine.cc). A receiver computes, and makes a few calls: in each it says
 * that it is inside, copies, says that it computes again, and looks. A sender publishes messages that need its CPU, looks
 * for a moment whether the receiver takes its bit or is inside, and interrupts only if not. Checked: every message arrives,
 * although after its last call the receiver never looks by itself.
 *
 * An interrupt that finds the mask raised is noted, and whoever lowers the mask looks for it.
 *
 * Mutants, each of which must fail:
 *   NO_LAST_LOOK       what was published while it was inside is not looked for on the way out
 *   LOOK_THEN_COMPUTE  it looks first and says afterwards that it computes
 *   READ_THEN_RING     the sender reads the attention before it sets its bit
 *   NOT_NOTED          a handler that finds the mask raised leaves no note
 */
#define MESSAGES 3
#define CALLS 2

mtype = { COMPUTING, INSIDE };

mtype attention = COMPUTING;
bit pending = 0;
bit signal = 0;
bit mask = 0, noted = 0;
byte published = 0, received = 0;
bit in_handler = 0;

inline take_pending() {
  d_step { if :: pending -> pending = 0; got = 1 :: else -> got = 0 fi }
  if
  :: got -> d_step { received = published; got = 0 }
  :: else
  fi
}

proctype Sender() {
  byte n = 0;
  mtype seen;
  do
  :: n == MESSAGES -> break
  :: n < MESSAGES ->
    published++;
#ifdef READ_THEN_RING
    seen = attention;
    pending = 1;
#else
    pending = 1;                       /* SYNC POINT: attention, sender */
    seen = attention;
#endif
    if
    :: seen == INSIDE
    :: else ->
      do                               /* the glance, however long */
      :: !pending -> break             /* SYNC POINT: pending */
      :: attention == INSIDE -> break
      :: signal = 1 -> break
      od
    fi;
    n++
  od
}

proctype Handler() {
  bit got = 0;
end:
  do
  :: signal && !in_handler ->
    d_step { signal = 0; in_handler = 1 }
    if
    :: mask ->
#ifndef NOT_NOTED
      noted = 1
#else
      skip
#endif
    :: else -> take_pending()
    fi;
    in_handler = 0
  od
}

/* `!in_handler` on each step: the thread stands still while its handler runs. */
proctype Receiver() {
  bit got = 0, look;
  byte n = 0;
  do
  :: n == CALLS -> break
  :: n < CALLS ->
    (!in_handler) -> mask = 1;
    (!in_handler) -> attention = INSIDE;
#ifdef NO_LAST_LOOK
    (!in_handler) -> attention = COMPUTING;
#elif defined(LOOK_THEN_COMPUTE)
    (!in_handler);
    take_pending();
    (!in_handler) -> attention = COMPUTING;
#else
    (!in_handler) -> attention = COMPUTING;      /* SYNC POINT: attention, receiver */
    (!in_handler);
    take_pending();
#endif
    do                                           /* lower_with_note() */
    :: !in_handler && noted -> noted = 0; take_pending()
    :: d_step { !in_handler && !noted -> mask = 0 } -> break
    od;
    n++
  od
}

proctype Monitor() { timeout -> assert(received == MESSAGES) }

init { atomic { run Sender(); run Handler(); run Receiver(); run Monitor() } }
