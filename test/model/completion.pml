/* The completion (src-native/sync/completion.cc; SYNC POINT: completion): a count of what is done, on which waiters sleep,
 * and a count of the sleepers, so that who completes something enters the kernel only where somebody sleeps. The kernel
 * compares and puts to sleep in one step, and wakes any sleeper. A patient waiter waits until it is over, others leave when
 * they like, and more come that only look.
 *
 * ALL: one of those who complete says that everything is done, and perhaps takes that back (complete_all(), reinit()).
 *
 * DEATHS: a waiter or one who completes something is killed between any two steps. Then the waiters look again after a
 * slice. Without deaths they do not: nothing but a wakeup ends a patient waiter's sleep.
 *
 * Checked: no more waits end than were completed, and what was completed stays until a wait has ended by it. In the end
 * nobody sleeps although something is done. What has ended all waits does so until it is taken back.
 *
 * Mutants, each of which must fail:
 *   UNCOUNTED         a sleeper is not counted
 *   READ_THEN_COUNT   who completes something looks for sleepers first
 *   NOT_WOKEN         wakes nobody
 *   SLEEPS_BLINDLY    the kernel does not compare
 *   LEAVES_AT_ONCE    a waiter that is woken when its time is over leaves without a look
 *   COUNTS_BLINDLY    a plain store counts what is done
 *   TAKES_BLINDLY     a plain store takes it
 *   COUNTS_TO_ALL     the count reaches the value that stands for everything
 *   WAKES_ONE         (ALL) who says that everything is done wakes one
 *   ALL_TAKEN         (ALL) a wait takes one from everything
 *   ALL_COUNTED       (ALL) everything and one is nothing
 *   NO_SLICE          (DEATHS) sleeps until woken
 */
#define WAITERS 2
#ifndef EVERYTHING
#define EVERYTHING 3   /* Completion::kAll: so two can be done and not waited for */
#endif

#ifndef COMPLETES
#define COMPLETES 1
#endif

#ifdef DEATHS
#define LEAVES false
#define DIES(condition) unless { (condition) -> skip }
#else
#define DIES(condition)
#define LEAVES (me != 0)
#endif

byte done = 0, sleepers = 0;
bit asleep[WAITERS], killed[WAITERS + 1], fresh[WAITERS];
byte completed = 0, ended = 0;
bit everything = 0;    /* what was said */

inline futex_wake() {
  atomic {
    if
    :: asleep[0] -> asleep[0] = 0
    :: asleep[1] -> asleep[1] = 0
    :: else
    fi
  }
}

/* Completion::try_wait(); `over`: the wait is. */
inline try_wait() {
  seen = done;
  do
  :: atomic { seen == 0 -> break }
#ifndef ALL_TAKEN
  :: atomic { seen == EVERYTHING -> over = 1; seen = 0; ended++; break }
#endif
  :: atomic {
#ifdef ALL_TAKEN
       seen != 0 ->
#else
       seen != 0 && seen != EVERYTHING ->
#endif
       if
#ifdef TAKES_BLINDLY
       :: true -> done = seen - 1; over = 1; seen = 0; ended++; break
#else
       :: done == seen -> done = seen - 1; over = 1; seen = 0; ended++; break
       :: else -> seen = done
#endif
       fi
     }
  od
}

/* Completion::wait() */
proctype Waiter(byte me) {
  byte seen = 0;
  bit over = 0, late = 0;
  {
    try_wait();
    if
    :: over
    :: !over ->
#ifndef UNCOUNTED
      sleepers++;                                /* SYNC POINT: completion */
#endif
      try_wait();
      do
      :: atomic { over || late -> break }
      :: atomic { !over && !late && LEAVES -> break }     /* its time is over before it sleeps */
      :: !over && !late ->
        atomic {                                 /* futex_wait() */
#ifdef SLEEPS_BLINDLY
          asleep[me] = 1
#else
          if :: done == 0 -> asleep[me] = 1 :: else fi
#endif
        }
end_asleep:
        if
        :: !asleep[me]
#ifdef LEAVES_AT_ONCE
        :: atomic { !asleep[me] && LEAVES -> late = 1; break }
#endif
        :: atomic { asleep[me] && LEAVES -> asleep[me] = 0; late = 1 }
#ifdef DEATHS
#ifndef NO_SLICE
        :: atomic { asleep[me] && fresh[me] -> asleep[me] = 0; fresh[me] = 0 }
#endif
#endif
        fi;
        try_wait()
      od;
#ifndef UNCOUNTED
      sleepers--
#endif
    fi;
    late = 0
  } DIES(killed[me])
}

/* try_wait_for_completion(): whoever comes takes what a sleeper is being woken for. */
proctype Passer() {
  byte seen = 0;
  bit over = 0;
  try_wait()
}

/* Completion::complete() */
inline complete() {
#ifdef READ_THEN_COUNT
  seen = sleepers;
#endif
  was = done;
  do
#ifdef ALL_COUNTED
  :: atomic { was == EVERYTHING - 1 -> break }
#else
#ifdef COUNTS_TO_ALL
  :: atomic { was == EVERYTHING -> break }
#else
  :: atomic { was >= EVERYTHING - 1 -> break }
#endif
#endif
  :: atomic {
#ifdef ALL_COUNTED
       was != EVERYTHING - 1 ->
#else
#ifdef COUNTS_TO_ALL
       was < EVERYTHING ->
#else
       was < EVERYTHING - 1 ->
#endif
#endif
       if
#ifdef COUNTS_BLINDLY
       :: true -> done = (was + 1) % (EVERYTHING + 1); completed++; break
#else
       :: done == was -> done = (was + 1) % (EVERYTHING + 1); completed++; break
       :: else -> was = done
#endif
       fi
     }
  od;
  was = 0;
#ifndef READ_THEN_COUNT
  seen = sleepers;                               /* SYNC POINT: completion */
#endif
#ifndef NOT_WOKEN
  if :: seen != 0 -> futex_wake() :: else fi;
#endif
  seen = 0
}

proctype Completer(bit mortal; byte times; bit all) {
  byte seen = 0, was = 0;
  {
    do
    :: times == 0 -> break
    :: times > 0 -> complete(); times--
    od;
    if
    :: all ->
      atomic { done = EVERYTHING; everything = 1 };      /* complete_all() */
      seen = sleepers;
#ifdef WAKES_ONE
      if :: seen != 0 -> futex_wake() :: else fi;
#else
      if :: seen != 0 -> d_step { asleep[0] = 0; asleep[1] = 0 } :: else fi;
#endif
      if
      :: atomic { done = 0; everything = 0 }             /* reinit() */
      :: true
      fi
    :: else
    fi
  } DIES(mortal && killed[WAITERS])
}

#ifdef DEATHS
#define KILL(who) atomic { killed[who] = 1; fresh[0] = 1; fresh[1] = 1 }

/* A sleeper that was killed stays counted. The kernel does not wake it any more. */
proctype Killer() {
  if
  :: KILL(WAITERS)
  :: atomic { KILL(1); asleep[1] = 0 }           /* as good as the other */
  fi
}
#endif

proctype Monitor() {
  timeout ->
    assert(done == 0 || !(asleep[0] || asleep[1]));
#ifdef ALL
    assert(!everything || done == EVERYTHING)
#else
    assert(done + ended == completed)
#endif
}

init {
  atomic {
    run Waiter(0);
    run Waiter(1);
#ifndef DEATHS
    run Passer();
#endif
    run Completer(1, COMPLETES, 0);
#ifdef ALL
    run Completer(0, 0, 1);
#else
    run Completer(0, 1, 0);
#endif
#ifdef DEATHS
    run Killer();
#endif
    run Monitor()
  }
}
