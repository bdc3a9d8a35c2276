/* The wakeup protocol (docs/protocol.md, "Notices"; engine/notice.cc, engine/engine.cc, drivers): a sender publishes
 * messages, a receiver computes, sleeps, and is interrupted. Checked: every message is received in the end, that is,
 * no execution ends with the receiver asleep and a message unread. Spin reports such an end as an invalid end state.
 *
 * The two steps of an interrupt are separate: PIR, then ON; only who turns ON from 0 to 1 signals. The handler clears
 * ON, then takes PIR. Interrupts may be spurious. A message is one that needs the receiver's CPU ("needs") or one that
 * only has to be seen before the receiver sleeps ("something").
 *
 * COMPUTES: a receiver that never looks by itself; then every message must arrive by interrupts alone.
 *
 * Mutants, each of which must fail:
 *   LOOK_THEN_SLEEP   the receiver looks at its bitmap first and says afterwards that it sleeps
 *   READ_THEN_RING    the sender reads the attention before it sets its bit
 *   PIR_THEN_ON       the handler takes PIR before it clears ON (with COMPUTES: a rank that looks by itself would not notice)
 */
#ifndef MESSAGES
#define MESSAGES 3
#endif

mtype = { COMPUTING, SLEEPING };

mtype attention = COMPUTING;
bit pending = 0;      /* the sender's bit in the receiver's bitmap */
bit eventfd = 0;
bit on = 0, pir = 0;
bit signal = 0;       /* on its way to the receiver */
byte published = 0, received = 0;
bit done = 0;         /* the receiver's completion list is not empty */
bit in_handler = 0;

inline take_pending() {
  d_step { if :: pending -> pending = 0; got = 1 :: else -> got = 0 fi }
  if
  :: got -> d_step { received = published; done = 1; got = 0 }
  :: else
  fi
}

proctype Sender() {
  byte n = 0;
  bit needs, first;
  mtype seen;
  do
  :: n == MESSAGES -> break
  :: n < MESSAGES ->
#ifdef COMPUTES
    needs = 1;
#else
    if :: needs = 0 :: needs = 1 fi;
#endif
    published++;                       /* the ring's tail */
#ifdef READ_THEN_RING
    seen = attention;
    pending = 1;
#else
    pending = 1;                       /* SYNC POINT: attention, sender */
    seen = attention;
#endif
    if
    :: needs ->                        /* SYNC POINT: upid, sender */
      pir = 1;
      d_step { first = !on; on = 1 }
      if :: first -> signal = 1 :: else fi
    :: !needs && seen == SLEEPING -> eventfd = 1
    :: else
    fi;
    n++
  od
}

/* Runs on the receiver's thread, between any two of its steps. */
proctype Handler() {
  bit got = 0, vector;
end:
  do
  :: signal && !in_handler ->
    d_step { signal = 0; in_handler = 1 }
#ifdef PIR_THEN_ON
    d_step { vector = pir; pir = 0 }
    on = 0;
    if
    :: vector -> take_pending()
    :: else
    fi;
#else
    on = 0;                            /* SYNC POINT: upid, handler */
    d_step { vector = pir; pir = 0 }
    take_pending();
#endif
    /* A sleeper's loop has to settle what the handler took. */
    if :: attention == SLEEPING -> eventfd = 1 :: else fi;
    in_handler = 0
  od
}

/* `!in_handler` on each step: the thread stands still while its handler runs. */
proctype Receiver() {
  bit got = 0, look;
  do
  :: !in_handler ->
    take_pending();
    done = 0;                                   /* drained */
    if
    :: received == MESSAGES -> break
    :: else
    fi;
#ifdef LOOK_THEN_SLEEP
    (!in_handler) -> look = pending || done;
    (!in_handler) -> attention = SLEEPING;
#else
    (!in_handler) -> attention = SLEEPING;      /* SYNC POINT: attention, receiver */
    (!in_handler) -> look = pending || done;
#endif
    if
    :: look -> attention = COMPUTING
    :: else ->
      (!in_handler && eventfd);                 /* asleep */
      eventfd = 0;
      attention = COMPUTING
    fi
  od
}

#ifdef COMPUTES
proctype Monitor() { timeout -> assert(received == MESSAGES) }
init { atomic { run Sender(); run Handler(); run Monitor() } }
#else
init { atomic { run Sender(); run Handler(); run Receiver() } }
#endif
