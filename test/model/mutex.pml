/* The mutex (src-native/sync/mutex.cc, futex.h; SYNC POINT: mutex), and the seats by which the death of its owner is known
 * (src-native/sync/region.cc, owner.h; SYNC POINT: seat). One word has the owner, that is a seat and its life, and the bit
 * that tells it of sleepers. The kernel compares the lower half of the word, without the life, and puts to sleep, in one
 * step; it wakes any sleeper. Patient threads wait until they have the lock, others leave when they like. The fast path
 * and the adaptive spinning are the same here: one compare-and-swap, some time after the thread came.
 *
 * DEATHS=n: so many threads are killed, each between any two steps; the kernel frees its seat's lock, and the next life may
 * take the seat. Then a patient thread looks again after a slice, once all else stands still. Without deaths nobody ever
 * looks again: nothing but a wakeup ends a patient thread's sleep.
 *
 * Checked: one owner at a time. Every patient thread gets the lock; Spin reports one that never does as an invalid end
 * state. Whoever gets the lock after an owner has died is told so, until one says that all is whole again, and nobody
 * else is, also where the one who took over dies in turn.
 *
 * Mutants, each of which must fail:
 *   WITHOUT_BIT      who has slept takes the lock without the waiters' bit
 *   BIT_AT_ONCE      the bit is set by a plain store
 *   SLEEPS_BLINDLY   the kernel does not compare
 *   WAKE_FIRST       wakes, then frees the lock
 *   READ_THEN_FREE   reads the bit, then frees the lock by a plain store
 *   NOT_WOKEN        wakes nobody
 *   NO_SLICE         (DEATHS) sleeps until woken
 *   NO_LAST_LOOK     (DEATHS) does not ask after a slice whether the owner is there
 *   TAKES_BLINDLY    (DEATHS) takes over by a plain store
 *   LOST_FIRST       (DEATHS) says that an owner has died, and then takes over
 *   NOT_TOLD         (DEATHS) says so only where it lives to enter
 *   ANY_LIFE         (DEATHS) an owner is there if somebody has its seat
 *   LIFE_FIRST       (DEATHS) a seat's next life begins before its lock is taken
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef THREADS
#define THREADS 3
#endif
#define SEATS 3

/* The word: the seat from 1, 4 times the life, and the waiters' bit. */
#define WAITERS 64
#define WORD(seat, life) ((life) * 4 + (seat) + 1)
#define OWNER(word) ((word) & (WAITERS - 1))
#define LOWER(word) ((word) & (WAITERS + 3))
#define SEAT(word) (((word) & 3) - 1)
#define LIFE(word) (OWNER(word) / 4)

byte word = 0;
bit lost = 0;
byte lives[SEATS];
bit locked[SEATS];               /* the kernel's */
bit asleep[SEATS];
bit killed[SEATS];
byte seat[SEATS], own[SEATS];
bit seated[SEATS], in[SEATS];
bit fresh[SEATS];                /* something has happened since the thread looked last */
byte inside = 0;
bit damaged = 0;                 /* what `lost` ought to say */

#define ALL(array) array[0] = 1; array[1] = 1; array[2] = 1
#ifdef DEATHS
#define NEWS ALL(fresh)
#else
#define NEWS skip
#endif

/* Region::seat() */
inline sit_down() {
  do
#ifdef LIFE_FIRST
  :: atomic { lives[seat[me]]++; own[me] = WORD(seat[me], lives[seat[me]]) };
     if
     :: atomic { !locked[seat[me]] -> locked[seat[me]] = 1; seated[me] = 1; break }
     :: atomic { locked[seat[me]] -> seat[me]++ }
     fi
#else
  :: atomic { !locked[seat[me]] -> locked[seat[me]] = 1; seated[me] = 1 };
     atomic { lives[seat[me]]++; own[me] = WORD(seat[me], lives[seat[me]]); NEWS; break }   /* SYNC POINT: seat */
  :: atomic { locked[seat[me]] -> seat[me]++ }
#endif
  od
}

#define CAS(wanted) if :: word == seen -> word = wanted :: else -> seen = word; goto look fi

/* Mutex::lock() and unlock(). */
inline lock_and_unlock() {
#ifdef DEATHS
  atomic { rounds++; patient = 1 };
#else
  atomic { rounds++; if :: patient = 1 :: me != 0 -> patient = 0 fi };
#endif
slice:
  atomic {                                   /* try_lock() */
    over = 0;
    seen = 0;
    if :: word == 0 -> word = own[me]; goto taken :: else fi
  }
  seen = word;
look:
  atomic {
    if
#ifdef WITHOUT_BIT
    :: OWNER(seen) == 0 -> CAS(own[me]); goto taken
#else
    :: OWNER(seen) == 0 -> CAS(own[me] | WAITERS); goto taken
#endif
    :: OWNER(seen) != 0 && !(seen & WAITERS) ->
#ifdef BIT_AT_ONCE
      word = seen | WAITERS
#else
      CAS(seen | WAITERS)                    /* SYNC POINT: mutex */
#endif
    :: else
    fi;
    if
    :: over -> goto last_look
    :: !over && !patient -> goto last_look   /* its time is over */
    :: !over
    fi
  }
  atomic {                                   /* futex_wait() */
#ifdef SLEEPS_BLINDLY
    asleep[me] = 1
#else
    if :: LOWER(word) == LOWER(seen | WAITERS) -> asleep[me] = 1 :: else fi
#endif
  }
  if
  :: atomic { !asleep[me] -> seen = word; goto look }
  :: atomic { asleep[me] && !patient -> asleep[me] = 0; over = 1 }
#ifdef DEATHS
#ifndef NO_SLICE
  :: atomic { asleep[me] && fresh[me] -> asleep[me] = 0; fresh[me] = 0; over = 1 }
#endif
#endif
  fi;
  atomic { seen = word; goto look };
last_look:
#ifdef DEATHS
#ifndef NO_LAST_LOOK
  atomic { seen = word; if :: OWNER(seen) == 0 -> goto in_vain :: else fi };
  atomic {                                   /* Region::is_alive() */
#ifndef ANY_LIFE
    if :: lives[SEAT(seen)] != LIFE(seen) -> goto dead :: else fi;
#endif
    if :: SEAT(seen) == seat[me] -> goto in_vain :: else fi
  }
  atomic { if :: locked[SEAT(seen)] -> goto in_vain :: else fi };
dead:
#ifdef LOST_FIRST
  lost = 1;
#endif
  atomic {
#ifndef TAKES_BLINDLY
    if :: word != seen -> goto in_vain :: else fi;
#endif
    word = own[me] | WAITERS
  }
#ifdef NOT_TOLD
  told = 1;
#else
#ifndef LOST_FIRST
  lost = 1;
#endif
#endif
  goto taken;
#endif
#endif
in_vain:
  atomic {
    seen = 0;
    if
    :: patient -> goto slice
    :: !patient -> goto done
    fi
  }
taken:
  atomic {
    inside++;
    in[me] = 1;
    assert(inside == 1);
    assert((lost || told) == damaged);
    told = 0;
    if
    :: damaged -> lost = 0; damaged = 0      /* make_consistent() */
    :: true
    fi
  }
  atomic {
    inside--;
    in[me] = 0;
#if defined(WAKE_FIRST) || defined(READ_THEN_FREE)
    seen = word
#else
    seen = word;
    word = 0                                 /* SYNC POINT: mutex */
#endif
  }
#ifdef READ_THEN_FREE
  word = 0
#endif
#ifndef NOT_WOKEN
  atomic {                                   /* futex_wake() */
    if
    :: seen & WAITERS && asleep[0] -> asleep[0] = 0
    :: seen & WAITERS && asleep[1] -> asleep[1] = 0
    :: seen & WAITERS && asleep[2] -> asleep[2] = 0
    :: else
    fi
  }
#endif
#ifdef WAKE_FIRST
  word = 0
#endif
done:
  seen = 0
}

/* Also the kernel's, when a thread has died. */
inline leave(who) { locked[seat[who]] = 0; seated[who] = 0; own[who] = 0; seat[who] = 0 }

proctype Thread(byte me) {
  byte seen = 0, rounds = 0;
  bit patient = 0, over = 0, told = 0;
  do
  :: {
      if :: !seated[me] -> sit_down() :: else fi;
      do
      :: atomic { rounds == ROUNDS -> leave(me); goto ended }
      :: rounds < ROUNDS -> lock_and_unlock()
      od
    } unless {
      atomic { killed[me] -> killed[me] = 0; rounds = ROUNDS - 1; seen = 0; patient = 0; over = 0; told = 0 };
      if :: break :: true fi                 /* or it comes back */
    }
  od;
ended:
  skip
}

#ifdef DEATHS
inline kill(who) {
  atomic {
    seated[who] ->
    killed[who] = 1;
    if :: own[who] != 0 && OWNER(word) == own[who] -> damaged = 1 :: else fi;
    inside = inside - in[who];
    in[who] = 0; asleep[who] = 0;
    leave(who);
    ALL(fresh)
  }
}

/* Which thread is which does not matter, but for its seat: so the first dies, whose seat is the last that its next life
 * tries, and then that or the second. */
proctype Killer() {
  if
  :: kill(0)
  :: goto done
  fi;
#if DEATHS > 1
  if
  :: kill(0)
  :: kill(1)
  :: goto done
  fi;
#endif
done:
  skip
}
#endif

init {
  atomic {
    ALL(lives);
    ALL(locked);
    ALL(seated);
    seat[0] = 2; seat[1] = 1;
    own[0] = WORD(2, 1); own[1] = WORD(1, 1); own[2] = WORD(0, 1);
    run Thread(0);
    run Thread(1);
#if THREADS > 2
    run Thread(2);
#endif
#ifdef DEATHS
    run Killer()
#endif
  }
}
