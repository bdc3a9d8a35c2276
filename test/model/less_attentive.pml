/* Every step from one state of attention to another (docs/protocol.md, "Notices"; Core::notify, looks_by_itself, say_inside,
 * come_out and something_to_do in engine/notice.cc, Engine::begin_polling, prepare_sleep and resume in engine/engine.cc). A
 * receiver makes calls in which it copies (Inside), waits (Polling, Blocked) and turns its event loop (Sleeping, and there
 * callbacks that may compute); in the end it computes, as Computing or in a callback, and never looks again, or it sleeps
 * without a timer. A sender publishes messages that need the receiver's CPU, and others. Checked, when nothing moves any more:
 * a receiver that interrupts reach has taken every message that needs its CPU; one that sleeps has taken all, and has
 * nothing complete that it has not delivered.
 *
 * Tried with all three drivers: interrupts that wake a sleeper (signal), that do not (uintr), and none (poll).
 *
 * Mutants, each of which must fail:
 *   POLL_LOOK_FIRST    resume() looks and then says that it computes
 *   POLL_NO_LOOK       resume() says that it computes and does not look
 *   BLOCK_LOOK_FIRST   prepare_sleep() looks and then says Blocked or Sleeping
 *   COME_OUT_ONCE      who comes out of a call, and has said Inside once more while it looked, does not look again
 *   NO_RING            what needs the CPU of a sleeper is an interrupt alone, whatever the driver
 *   BLOCKED_AS_POLLING a rank that is blocked is told nothing
 *   NOT_WOKEN          a handler that has something for its sleeping loop does not wake it
 *   STALE_ATTENTION    the sender reads the attention before it sets its bit
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef TURNS
#define TURNS 2
#endif

mtype = { COMPUTING, POLLING, SLEEPING, BLOCKED, INSIDE };

mtype attention = COMPUTING;      /* as published */
mtype state = COMPUTING;          /* the receiver's own copy, without Inside */
bit pending = 0, eventfd = 0, signal = 0;
bit raised = 0, note = 0;         /* the soft mask */
bit in_handler = 0;
bit interruptible = 0, interrupt_wakes = 0;
byte published = 0, received = 0;
byte urgent = 0;                  /* the newest message that needs the receiver's CPU */
bit done = 0;                     /* the completion list is not empty */
bit asleep = 0;

#define STEP(running, what) atomic { running -> what }
#define THREAD !in_handler        /* it stands still while its handler runs */
#define HANDLER true

/* Core::run() */
inline run_once(running) {
  STEP(running, got = pending; pending = 0);
  STEP(running, if :: got && received != published -> received = published; done = 1 :: else fi; got = 0)
}

/* Core::run_as_handler() */
inline run_as_handler(running) {
  run_once(running);
#ifndef NOT_WOKEN
  STEP(running, if :: (state == SLEEPING || state == BLOCKED) && (pending || done) -> eventfd = 1 :: else fi)
#endif
}

inline raise() { STEP(THREAD, raised = 1) }

/* Core::leave() without come_out(), which is where there was something to come out of. */
inline leave() {
  do
  :: true ->
    STEP(THREAD, raised = 0);
    STEP(THREAD, found = note);
    if
    :: !found -> break
    :: else -> STEP(THREAD, raised = 1); STEP(THREAD, note = 0; found = 0); run_as_handler(THREAD)
    fi
  od
}

inline say_inside() { STEP(THREAD, if :: state == COMPUTING -> attention = INSIDE; inside = 1 :: else fi) }

/* A run that copies says so; Core::come_out() */
inline come_out() {
  again = 0;
  do
  :: !inside -> break
  :: else ->
    inside = 0;
#ifdef COME_OUT_ONCE
    if
    :: again -> STEP(THREAD, attention = state); break
    :: else
    fi;
#endif
    STEP(THREAD, attention = state);     /* SYNC POINT: attention, receiver */
    STEP(THREAD, look = pending);
    if
    :: !look -> break
    :: look && again -> run_as_handler(THREAD)
    :: look && !again ->
      run_once(THREAD);
      if :: say_inside() :: skip fi      /* what it has found is something to copy, or not */
    fi;
    again = 1;
    look = 0
  od;
  again = 0
}

/* Engine::progress() in a thread that has something to copy, or not. */
inline progress() {
  raise();
  if :: say_inside() :: skip fi;
  run_once(THREAD);
  come_out();
  leave()
}

/* Engine::prepare_sleep(how); `sleeps` is its answer. */
inline prepare_sleep(how) {
  raise();
  before = state;
#ifdef BLOCK_LOOK_FIRST
  STEP(THREAD, look = pending || done);
  STEP(THREAD, state = how);
  STEP(THREAD, attention = how);
#else
  STEP(THREAD, state = how);
  STEP(THREAD, attention = how);         /* SYNC POINT: attention, receiver */
  STEP(THREAD, look = pending || done);
#endif
  sleeps = !look;
  if
  :: look -> STEP(THREAD, state = before); STEP(THREAD, attention = before)
  :: else
  fi;
  look = 0;
  leave()
}

/* Engine::resume(polling) */
inline resume(to) {
  raise();
  before = state;
  STEP(THREAD, state = to);
  if
  :: (before == POLLING || before == BLOCKED) && to == COMPUTING ->
#if defined(POLL_LOOK_FIRST)
    run_once(THREAD);
    STEP(THREAD, attention = to)
#elif defined(POLL_NO_LOOK)
    STEP(THREAD, attention = to)
#else
    STEP(THREAD, attention = to);        /* SYNC POINT: attention, receiver */
    if :: say_inside() :: skip fi;
    run_once(THREAD);
    come_out()
#endif
  :: else -> STEP(THREAD, attention = to)
  fi;
  leave()
}

/* Until something is there, or a timer ends it. */
#define SLEEP(label) \
  if \
  :: true \
  :: true -> \
    asleep = 1; \
label: \
    STEP(THREAD && eventfd, asleep = 0) \
  fi

proctype Receiver() {
  bit got = 0, look = 0, found = 0, inside = 0, again = 0, sleeps = 0;
  mtype before = COMPUTING;
  byte n = 0;
  do
  :: n == TURNS -> break
  :: n < TURNS ->
    n++;
    if
    :: progress()                        /* a call that copies */
    :: true ->                           /* World::wait_slice() */
      raise();
      STEP(THREAD, state = POLLING);
      STEP(THREAD, attention = POLLING);
      leave();
      progress();
      prepare_sleep(BLOCKED);
      if
      :: sleeps ->
        SLEEP(end_wait);
        STEP(THREAD, eventfd = 0);
        resume(POLLING);
        progress()
      :: else
      fi;
      resume(COMPUTING);
      STEP(THREAD, done = 0)
    :: true ->                           /* Loop::on_prepare() and on_check() */
      prepare_sleep(SLEEPING);
      if
      :: sleeps ->
        SLEEP(end_loop);
        if
        :: break                         /* a callback that computes for ever */
        :: STEP(THREAD, eventfd = 0); progress(); STEP(THREAD, done = 0)
        :: skip
        fi;
        resume(COMPUTING)
      :: else -> progress()
      fi;
      STEP(THREAD, done = 0)
    fi;
    sleeps = 0;
    before = COMPUTING
  od
}

/* A user interrupt is not delivered to a thread that sleeps in the kernel. */
proctype Handler() {
  bit got = 0, was = 0;
end:
  do
  :: atomic { signal && !in_handler && (!asleep || interrupt_wakes) -> signal = 0; in_handler = 1 };
    was = raised;
    if
    :: was -> note = 1
    :: else -> run_as_handler(HANDLER)
    fi;
    atomic { was = 0; in_handler = 0 }
  od
}

/* Core::notify() */
proctype Sender() {
  byte n = 0;
  bit needs_cpu, told;
  mtype a = COMPUTING;
  do
  :: n == MESSAGES -> break
  :: n < MESSAGES ->
    n++;
    if
    :: needs_cpu = 0; published = n
    :: needs_cpu = 1; atomic { published = n; urgent = n }
    fi;
#ifdef STALE_ATTENTION
    a = attention;
    pending = 1;
#else
    pending = 1;                         /* SYNC POINT: attention, sender */
    a = attention;
#endif
    told = 0;
    if
    :: needs_cpu && a == COMPUTING && interruptible ->
      do                                 /* looks_by_itself(), however long; a handler does without */
      :: !pending -> told = 1; break     /* SYNC POINT: pending */
      :: attention == POLLING || attention == INSIDE -> told = 1; break
      :: true -> break
      od
    :: else
    fi;
    if
    :: !told && needs_cpu && interruptible && (a == COMPUTING || a == SLEEPING) -> signal = 1
    :: else
    fi;
    if
#ifndef BLOCKED_AS_POLLING
    :: a == BLOCKED -> eventfd = 1
#endif
#ifdef NO_RING
    :: a == SLEEPING && (!needs_cpu || !interruptible) -> eventfd = 1
#else
    :: a == SLEEPING && (!needs_cpu || !interruptible || !interrupt_wakes) -> eventfd = 1
#endif
    :: else
    fi;
    a = COMPUTING
  od
}

proctype Monitor() {
  timeout ->
    assert(!interruptible || received >= urgent);
    assert(!asleep || (received == published && !done))
}

init {
  atomic {
    if
    :: interruptible = 1; interrupt_wakes = 1
    :: interruptible = 1
    :: skip
    fi;
    run Sender();
    run Handler();
    run Receiver();
    run Monitor()
  }
}
