/* An envelope needs the CPU of a rank that has a receive posted, and of no other (docs/protocol.md, "Notices", SYNC POINT
 * posted; Core::notify in engine/notice.cc, Core::post, unpost and post_recv_now in engine/receive.cc). A sender publishes
 * envelopes; a receiver computes, and posts receives from time to time. With the first it says that it has one, and then looks
 * at its bitmap; with the others it does not look. Checked: in the end no receive is posted while an envelope lies unread.
 *
 * Mutants, each of which must fail:
 *   LOOK_THEN_SAY   the receiver looks, and then says that it has one
 *   NO_LOOK         it says so and does not look
 *   READ_THEN_RING  the sender reads the word before it sets its bit
 *   TAKEN_BACK      the word is taken back with every receive that is matched, though there are others
 */
#define MESSAGES 3
#define RECEIVES 3

bit pending = 0, signal = 0;
bit raised = 0, in_handler = 0;   /* a handler that finds the mask raised runs when it is lowered */
bit said = 0;                     /* ControlHeader::posted */
byte published = 0, read = 0;
byte posted = 0, unexpected = 0;

#define STEP(running, what) atomic { running -> what }
#define THREAD !in_handler
#define HANDLER true

inline run_once(running) {
  STEP(running, got = pending; pending = 0);
  if
  :: got -> STEP(running, seen = published);
    do
    :: read == seen -> break
    :: read < seen && posted > 0 ->
      STEP(running, read++; posted--);
#ifdef TAKEN_BACK
      STEP(running, said = 0)
#else
      STEP(running, if :: posted == 0 -> said = 0 :: else fi)
#endif
    :: read < seen && posted == 0 -> STEP(running, read++; unexpected++)
    od
  :: else
  fi;
  STEP(running, got = 0; seen = 0)
}

proctype Sender() {
  byte n = 0;
  bit needs_cpu;
  do
  :: n == MESSAGES -> break
  :: n < MESSAGES ->
    published++;
#ifdef READ_THEN_RING
    needs_cpu = said;
    pending = 1;
#else
    pending = 1;                  /* SYNC POINT: posted, sender */
    needs_cpu = said;
#endif
    if :: needs_cpu -> signal = 1 :: else fi;
    n++
  od
}

proctype Handler() {
  bit got = 0;
  byte seen = 0;
end:
  do
  :: atomic { signal && !in_handler && !raised -> signal = 0; in_handler = 1 };
    run_once(HANDLER);
    in_handler = 0
  od
}

proctype Receiver() {
  bit got = 0, first;
  byte n = 0, seen = 0;
  do
  :: n == RECEIVES -> break
  :: n < RECEIVES ->
    n++;
    STEP(THREAD, raised = 1);
    if
    :: unexpected > 0 -> unexpected--
    :: else ->
      first = (posted == 0);
#ifdef LOOK_THEN_SAY
      posted++;
      if :: first -> run_once(THREAD) :: else fi;
      said = (posted > 0)
#else
      posted++;
      if :: first -> said = 1 :: else fi;   /* SYNC POINT: posted, receiver */
#ifndef NO_LOOK
      if :: first -> run_once(THREAD) :: else fi
#endif
#endif
    fi;
    raised = 0
  od
}

proctype Monitor() { timeout -> assert(posted == 0 || read == published) }

init { atomic { run Sender(); run Handler(); run Receiver(); run Monitor() } }
