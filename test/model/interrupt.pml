/* The interrupt in two steps, and its stuck case (docs/protocol.md, "Notices"; port_interrupt in drivers/ports_handler.cc,
 * dispatch_entry in drivers/dispatch_handler.cc, Engine::prepare_sleep and peer_gone, Engine::kick). A sender publishes
 * messages that need the receiver's CPU. Another rank, the victim, is killed or stopped between setting ON and sending the
 * signal: then ON stays set, and no sender signals. Checked: all messages arrive, by one of the ways out alone:
 *
 *   SLEEPER    it happened before the receiver went to sleep, who clears ON and then looks
 *   WAITER     it happens at any time, to a receiver that may compute for ever; who waits kicks until there is an answer.
 *              Here the queue of signals may be full, too, and a sender takes ON back, for which another has counted on it
 *   SURVIVOR   the sender does not wait; it kicks once, when it hears that the victim has died
 *   TOLD       nobody kicks; the receiver hears of the death, clears ON and then looks
 *
 * Mutants, each of which must fail:
 *   SLEEPER KEEPS_ON        who goes to sleep leaves ON as it is
 *   SLEEPER CLEARS_LAST     it clears ON after it has looked
 *   WAITER UNFORCED         the kick signals only where it finds ON clear
 *   SURVIVOR PIR_THEN_ON    the handler takes PIR, and returns if that is empty, before it clears ON
 *   SURVIVOR UNFORCED       as above
 *   SURVIVOR ONLY_OWN       only who has something unanswered kicks when a rank has died
 *   TOLD CLEARS_LAST        who is told of a death looks, and clears ON afterwards
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
bit in_handler = 0;
byte published = 0, received = 0;
bit over = 0;         /* the victim has ended, well or between its two steps */

/* One step, of whoever may run now. */
#define STEP(running, what) atomic { running -> what }
#define THREAD !in_handler   /* it stands still while its handler runs */
#define HANDLER true

inline take_pending(running) {
  STEP(running, got = pending; pending = 0);
  STEP(running, if :: got -> received = published :: else fi; got = 0)
}

inline port_interrupt(force) {
  pir = 1;                               /* SYNC POINT: upid, sender */
  atomic { before = on; on = 1 }
  if
  :: !before || force ->
    if
    :: signal = 1
#ifdef WAITER
    :: !force -> on = 0                  /* EAGAIN: no room in the queue of signals */
#endif
    fi
  :: else
  fi;
  before = 0
}

inline kick() {
  pending = 1;
#ifdef UNFORCED
  port_interrupt(0);
#else
  port_interrupt(1);
#endif
  eventfd = 1
}

proctype Victim() {
  bit before;
  byte n = 0;
  do
  :: n == 2 -> break
  :: n < 2 ->
    pir = 1;
    atomic { before = on; on = 1 }
    if
    :: !before -> signal = 1
    :: !before -> break                  /* between the two steps */
    :: before
    fi;
    n++
  od;
  over = 1
}

proctype Sender() {
  bit before;
  byte n = 0, kicks = 0;
  bit last = 0;
end:
  do
  :: n < MESSAGES ->
    published++;
    pending = 1;
    port_interrupt(0);
    n++
#ifdef WAITER
  :: n == MESSAGES && received < MESSAGES && kicks < 2 -> kick(); kicks++     /* at any time */
  :: n == MESSAGES && received < MESSAGES && over && !last -> kick(); last = 1
#endif
#ifdef SURVIVOR
  :: over && !last ->
    last = 1;
#ifdef ONLY_OWN
    if
    :: received < n -> kick()
    :: else
    fi
#else
    kick()
#endif
#endif
  od
}

/* Runs on the receiver's thread, between any two of its steps. */
proctype Handler() {
  bit got = 0, vector;
end:
  do
  :: signal && !in_handler ->
    atomic { signal = 0; in_handler = 1 }
#ifdef PIR_THEN_ON
    atomic { vector = pir; pir = 0 }
    on = 0;
    if
    :: vector -> take_pending(HANDLER)
    :: else
    fi;
#else
    on = 0;                              /* SYNC POINT: upid, handler */
    atomic { vector = pir; pir = 0 }
    take_pending(HANDLER);
#endif
    if :: attention == SLEEPING -> eventfd = 1 :: else fi;
    vector = 0;
    in_handler = 0
  od
}

proctype Receiver() {
  bit got = 0, look = 0;
#ifdef TOLD
  over;
#ifdef CLEARS_LAST
  take_pending(THREAD);
  STEP(THREAD, on = 0);
#else
  STEP(THREAD, on = 0);                  /* SYNC POINT: upid, peer_gone() */
  take_pending(THREAD);
#endif
#endif
#if defined(SLEEPER) || defined(WAITER)
  bit slept = 0;
  do
#ifdef SLEEPER
  :: slept -> break                      /* and computes for ever */
#else
  :: break
#endif
  :: true ->
#if !defined(KEEPS_ON) && !defined(CLEARS_LAST)
    STEP(THREAD, on = 0);                /* SYNC POINT: upid, prepare_sleep() */
#endif
    STEP(THREAD, attention = SLEEPING);
    STEP(THREAD, look = pending);
#ifdef CLEARS_LAST
    STEP(THREAD, on = 0);
#endif
    slept = 1;
    if
    :: look
    :: else ->
end:  STEP(THREAD && eventfd, eventfd = 0)
    fi;
    STEP(THREAD, attention = COMPUTING);
    take_pending(THREAD);
    look = 0
  od
#endif
}

proctype Monitor() { timeout -> assert(received == MESSAGES) }

init {
  atomic {
#ifdef SLEEPER
    on = 1;
    pir = 1;
#else
    run Victim();
#endif
    run Sender();
    run Handler();
    run Receiver();
    run Monitor()
  }
}
