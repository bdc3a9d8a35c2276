/* The baton (docs/protocol.md, "The baton"; Core::advance, advance_all, left_to_peer, holds_baton and pass_baton in
 * engine/transfer.cc, with the notices of engine/notice.cc and the attention of engine/engine.cc). The receiver
 * matches a message, and its sender hears of it when it looks. Each end makes a few calls, waits (Polling, Blocked) or turns its event loop, and in the end computes for
 * ever, or waits, or sleeps; only handlers move the transfer on where both compute.
 *
 * Checked: all chunks are claimed in the end, whatever the two do, so the transfer never stands still; and of two handlers one
 * at a time copies. That is all that the baton excludes: an end that waits, or is inside a call, copies without it, at the
 * same time as the other's handler.
 *
 * UNABLE=n: end n cannot reach the other's buffer, and never copies.
 *
 * Mutants, each of which must fail:
 *   KEEPS_IT        an end that turns from waiting to computing does not pass the baton
 *   NOTIFY_FIRST    the notice goes out before the baton is passed
 *   NO_BATON        a handler copies without the baton
 *   UNABLE_KEEPS    an end that polls keeps the baton also where it cannot copy
 *   NO_NOTICE       who passes the baton tells nobody
 *   ASLEEP_AT_WORK  an end goes to sleep although there are chunks that it could copy
 */
#ifndef CHUNKS
#define CHUNKS 3
#endif
#ifndef TURNS
#define TURNS 1
#endif
#ifndef UNABLE
#define UNABLE 2   /* neither */
#endif
#define OTHER (1 - me)
#define MATCHER 0  /* the receiver: it has the baton first */

mtype = { COMPUTING, POLLING, SLEEPING, BLOCKED };
mtype = { CALL, IDLE, HANDLE };   /* Effort */

mtype attention[2] = COMPUTING;
bit pending[2], eventfd[2], signal[2];
bit raised[2];                    /* the soft mask: a handler that finds it raised runs when it is lowered */
bit in_handler[2];
byte passes[2];
byte next = 0;                    /* chunks claimed */
bit known[2];                     /* the transfer is in its work list */
byte handlers_copying = 0;

#define STEP(what) atomic { !in_handler[me] -> what }
#define ABLE(end) ((end) != UNABLE)
#define ATTENTIVE(end) (attention[end] == POLLING || attention[end] == BLOCKED)
#define ANY_LEFT (known[me] && next < CHUNKS)
#define HOLDS_BATON (me == MATCHER -> passes[me] == passes[OTHER] : passes[OTHER] == passes[me] + 1)

/* Core::notify(peer, Need::Cpu). Its glance, where the thread has one, ends well or not. */
inline notify(effort) {
  pending[OTHER] = 1;
  a = attention[OTHER];
  if
  :: a == COMPUTING || a == SLEEPING -> signal[OTHER] = 1
  :: a == COMPUTING && effort != HANDLE && (!pending[OTHER] || attention[OTHER] == POLLING)
  :: a == BLOCKED -> eventfd[OTHER] = 1
  :: a == POLLING
  fi;
  a = COMPUTING
}

/* Core::run(): the bitmap, which tells the sender of the match, then Core::advance() for the transfer. */
inline run_once(effort, most) {
  atomic {
    if :: me != MATCHER && pending[me] -> known[me] = 1 :: else fi;
    pending[me] = 0
  }
  if
  :: me == MATCHER && !known[me] ->      /* start_receiving(), with owe_match(s, Need::Look) */
    known[me] = 1;
    pending[OTHER] = 1;
    if :: attention[OTHER] == SLEEPING || attention[OTHER] == BLOCKED -> eventfd[OTHER] = 1 :: else fi
  :: else
  fi;
  if
  :: ANY_LEFT ->
    holds = HOLDS_BATON;                 /* only this end can take it from itself, and only the other can give it */
#ifdef NO_BATON
    if
    :: true ->
#else
    if
    :: effort == HANDLE && !holds
    :: effort != HANDLE || holds ->
#endif
      copied = 0;
      if :: effort == HANDLE -> handlers_copying++ :: else fi;
      do
      :: !ABLE(me) || copied == most || !ANY_LEFT -> break
      :: effort == CALL -> break         /* the peer comes to wait */
      :: effort != IDLE && ATTENTIVE(OTHER) && ABLE(OTHER) -> break    /* left_to_peer() */
      :: else ->
        assert(handlers_copying <= 1);
        atomic { if :: ANY_LEFT -> next++ :: else fi; copied++ }
      od;
      if :: effort == HANDLE -> handlers_copying-- :: else fi;
      if
      :: ANY_LEFT ->
#ifdef UNABLE_KEEPS
        keep = (effort == IDLE && state[me] == POLLING);
#else
        keep = (ABLE(me) && effort == IDLE && state[me] == POLLING);
#endif
        holds = HOLDS_BATON;
        if
        :: !keep && holds ->             /* pass_baton() */
#ifdef NOTIFY_FIRST
          notify(effort);
          passes[me]++
#else
          passes[me]++;                  /* SYNC POINT: pending */
#ifndef NO_NOTICE
          notify(effort)
#endif
#endif
        :: else
        fi
      :: else
      fi
    fi;
    atomic { holds = 0; keep = 0; copied = 0 }
  :: else
  fi
}

mtype state[2] = COMPUTING;       /* own copy of the attention */

proctype Handler(bit me) {
  bit holds = 0, keep = 0;
  byte copied = 0;
  mtype a = COMPUTING;
end:
  do
  :: atomic { signal[me] && !in_handler[me] && !raised[me] -> signal[me] = 0; in_handler[me] = 1 };
    run_once(HANDLE, 1);
    if
    :: (state[me] == SLEEPING || state[me] == BLOCKED) && ABLE(me) && ANY_LEFT -> eventfd[me] = 1
    :: else
    fi;
    in_handler[me] = 0
  od
}

/* A call: the mask is raised, so no handler comes in between. */
inline enter() { atomic { !in_handler[me] -> raised[me] = 1 } }
inline leave() { raised[me] = 0 }

inline prepare_sleep(how) {
  before = state[me];
  state[me] = how;
  attention[me] = how;                   /* SYNC POINT: attention, receiver */
#ifdef ASLEEP_AT_WORK
  sleeps = !pending[me];
#else
  sleeps = !pending[me] && !(ABLE(me) && ANY_LEFT);
#endif
  if
  :: !sleeps -> state[me] = before; attention[me] = before
  :: else
  fi;
  before = COMPUTING
}

proctype Thread(bit me) {
  bit holds = 0, keep = 0, sleeps = 0;
  byte copied = 0, n = 0;
  mtype a = COMPUTING, before = COMPUTING;
  do
  :: n == TURNS -> break                 /* and computes for ever */
  :: n < TURNS ->
    n++;
    if
    :: enter(); run_once(CALL, 1); leave()
    :: true ->                           /* World::wait_slice() */
      enter();
      atomic { state[me] = POLLING; attention[me] = POLLING }
      leave();
      do
      :: true ->
        enter();
        run_once(IDLE, 1);
        leave();
        enter();
        prepare_sleep(BLOCKED);
        leave();
        if
        :: sleeps ->
          if
          :: true                        /* its time is over */
          :: true ->
end_wait:   atomic { eventfd[me] && !in_handler[me] -> eventfd[me] = 0 }
          fi;
          sleeps = 0;
          enter();
          atomic { state[me] = POLLING; attention[me] = POLLING }
          leave()
        :: else
        fi
      :: break                           /* what it has waited for is there, or its time is over */
      od;
      enter();
      state[me] = COMPUTING;
      attention[me] = COMPUTING;         /* SYNC POINT: attention, receiver */
#ifndef KEEPS_IT
      run_once(CALL, 1);
#endif
      leave()
    :: true ->                           /* the event loop */
      enter();
      run_once(IDLE, 1);
      leave();
      enter();
      prepare_sleep(SLEEPING);
      leave();
      if
      :: sleeps ->
        if
        :: true                          /* a timer */
        :: true ->
end_loop: atomic { eventfd[me] && !in_handler[me] -> eventfd[me] = 0 }
        fi;
        sleeps = 0;
        if
        :: break                         /* a callback that computes for ever */
        :: enter(); run_once(IDLE, 1); leave()
        fi;
        enter();
        atomic { state[me] = COMPUTING; attention[me] = COMPUTING }
        run_once(CALL, 1);               /* resume(): there is a transfer in the work list */
        leave()
      :: else
      fi
    fi
  od
}

proctype Monitor() { timeout -> assert(next == CHUNKS) }

init {
  atomic {
    run Thread(0); run Thread(1);
    run Handler(0); run Handler(1);
    signal[MATCHER] = 1;                 /* for the envelope; it matches in its handler, or in a call */
    run Monitor()
  }
}
