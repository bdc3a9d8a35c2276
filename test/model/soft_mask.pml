/* The soft mask and its note (docs/protocol.md, "The soft mask"; engine/soft_mask.h: raise, lower_with_note,
 * try_raise_from_handler; Core::leave, Engine::on_interrupt in engine/engine.cc). A thread enters the engine a few times;
 * interrupts come between any two of its steps, and one more kind in the middle of a handler (a signal's and a user
 * interrupt's may meet). Nothing but a handler, or who leaves the engine with a note, looks at what they announce.
 * Checked: never two in the engine at once; nothing that was announced stays unseen.
 *
 * Mutants, each of which must fail:
 *   NOT_NOTED        a handler that finds the mask raised leaves no note
 *   NOTE_THEN_LOWER  the note is looked at before the mask is lowered
 *   NOT_RAISED       who has found a note does the work without raising the mask again
 *   NOTE_KEPT        the note is taken back after the work that it asked for
 *   HANDLER_LOWERS   a handler that leaves does not look at the note
 */
#define CALLS 2
#define INTERRUPTS 3

bit raised = 0, note = 0;
bit signal = 0;
byte announced = 0, seen = 0;
byte depth = 0;    /* 0: the thread runs; 1: its handler; 2: the handler in that */
byte inside = 0;   /* that are in the engine */

/* One step of whoever runs at that depth: what it has interrupted stands still. */
#define STEP(what) atomic { depth == me -> what }
#define ENTER inside++; assert(inside == 1)

inline work() {
  STEP(seen = announced);                /* takes the bitmap, then reads what was published */
  STEP(skip)
}

/* Core::leave(): as long as lower_with_note() has found a note. */
inline leave() {
  do
  :: true ->
#ifdef NOTE_THEN_LOWER
    STEP(found = note);
    STEP(inside--; raised = 0);
#else
    STEP(inside--; raised = 0);
    STEP(found = note);
#endif
#ifdef HANDLER_LOWERS
    if :: me != 0 -> found = 0 :: else fi;
#endif
    if
    :: !found -> break
    :: else
    fi;
#ifndef NOT_RAISED
    STEP(raised = 1);
#endif
#ifdef NOTE_KEPT
    STEP(ENTER);
    work();
    STEP(note = 0);
#else
    STEP(note = 0);
    STEP(ENTER);
    work();
#endif
    found = 0
  od
}

proctype Thread() {
  bit found = 0;
  byte n = 0;
  byte me = 0;
  do
  :: n == CALLS -> break
  :: n < CALLS ->
    STEP(raised = 1; ENTER);
    STEP(skip);                          /* a call that does not look */
    leave();
    n++
  od
}

proctype Handler(byte me) {
  bit found = 0, was;
end:
  do
  :: atomic { signal && depth == me - 1 -> signal = 0; depth = me };
    STEP(was = raised);                  /* try_raise_from_handler() */
    if
    :: was ->
#ifndef NOT_NOTED
      STEP(note = 1)
#else
      skip
#endif
    :: else ->
      STEP(raised = 1; ENTER);
      work();
      leave()
    fi;
    STEP(depth = me - 1; was = 0)
  od
}

proctype Senders() {
  byte n = 0;
  do
  :: n == INTERRUPTS -> break
  :: n < INTERRUPTS -> announced++; signal = 1; n++
  od
}

proctype Monitor() { timeout -> assert(seen == INTERRUPTS) }

init { atomic { run Thread(); run Handler(1); run Handler(2); run Senders(); run Monitor() } }
