/* The ticket lock (src-native/sync/ticket_lock.cc; SYNC POINT: claim). Each thread draws a number, and has its claim in a
 * word of its seat, which says whose life of the seat that is (mutex.pml has the seats). Who waits for long looks for the
 * claimant of the number that is served, claim by claim, and passes over the number if nobody will come for it. Threads
 * wait, give up and come back for their place, or only try.
 *
 * DEATHS=n: so many threads are killed, each between any two steps, and may come back, as the seat's next life.
 *
 * A waiter looks for the claimant whenever something has changed since it looked last; so one that never gets its turn is
 * an invalid end state.
 *
 * Checked: one owner at a time, in the order of the numbers: so between a draw and its turn every other gets the lock once
 * at most. All who keep waiting get their turn. What is served never goes back, and no number is passed over whose claimant
 * is there and has not given up. Who gets the lock after an owner has died is told so until one says that all is whole
 * again, and nobody is where none has died that had entered.
 *
 * Mutants, each of which must fail:
 *   NOT_DRAWING      the claim does not say that a number is being drawn
 *   DRAWING_LATE     it says so after the draw
 *   DRAWN_ONLY       who looks for the claimant does not mind who is drawing
 *   CLAIM_FIRST      who releases the lock takes its claim back first
 *   STORES_SERVING   passes over a number by a plain store
 *   RESUMES_BLINDLY  who comes back for its place writes its claim by a plain store
 *   PASSES_BLINDLY   passes over a place that was given up and leaves its claim
 *   TOLD_BESIDE      (DEATHS) a death is told by a word beside the one that says what is served
 *   LOOKS_ONCE       (DEATHS) what a claimant that is not there has left is what its claim was before that was known
 *   UNCLAIMED_DIED   a number without a claim counts as a dead owner's
 *   NO_PASSING       nobody passes over anything
 *   MARK_DROPPED     (DEATHS) a death is forgotten when the next number is served
 *   NEVER_TOLD       (DEATHS) a death is not told
 *   NOT_BURIED       (DEATHS) a seat's next life writes over a claim without a look whose turn it is
 *   BURIED_LATE      (DEATHS) it looks when it has written over it
 *   CLAIM_CLEARED    (DEATHS) a dead owner's claim is taken back before its number is passed over
 *   WAITED_IS_ENTERED (DEATHS) who has died when its number was served, or before, had entered
 *   ENTERS_FIRST     (DEATHS) who enters says so when it is inside
 *   ANY_LIFE         (DEATHS) a claimant is there if somebody has its seat
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef OTHERS_ROUNDS
#define OTHERS_ROUNDS 1
#endif
#ifndef THREADS
#define THREADS 3
#endif
/* So many threads, the first ones, may leave before it is their turn, or only try. */
#ifndef LEAVERS
#define LEAVERS 2
#endif
#ifndef TRIERS
#define TRIERS 1
#endif
#define ALL_ROUNDS (me == 0 -> ROUNDS : OTHERS_ROUNDS)
#ifndef COMES_BACK
#define COMES_BACK true
#endif
#ifdef DEATHS
#define IDLES true                               /* with its seat, which is there for other locks as well */
#else
#define IDLES false
#endif
#define SEATS 3

#define DRAWING 1
#define DRAWN 2
#define GIVEN_UP 3
#define CLAIM(state, number) (life[me] * 64 + (state) * 8 + (number))
#define STATE(claim) ((claim) / 8 & 7)
#define NUMBER(word) ((word) & 7)
#define LIFE(claim) ((claim) / 64)
#define MINE claims[seat[me]]
#define LOST 8                   /* in `serving`: an owner has died */

byte next = 0, serving = 0;
byte entered_with = 0;           /* number of who entered last, and 1 */
byte claims[SEATS];
#ifdef TOLD_BESIDE
bit beside = 0;
#define TOLD beside
#define MADE_WHOLE beside = 0
#else
#define TOLD (serving & LOST)
#define MADE_WHOLE serving = NUMBER(serving)
#endif
byte lives[SEATS];
bit locked[SEATS];               /* the kernel's */
byte seat[SEATS], life[SEATS];
bit seated[SEATS], in[SEATS], killed[SEATS];
bit fresh[SEATS];                /* something has happened since the thread looked last */
byte wants[SEATS];               /* its number and 1, while it has one that it has not given up */
byte inside = 0;
bit damaged = 0;                 /* an owner has died, and all is not whole again */
byte mourned = 0;                /* so many have died who had entered, and nobody has been told and mended it */

#define ALL(array) array[0] = 1; array[1] = 1; array[2] = 1
#define NEWS ALL(fresh)
#define NOBODY_WANTS(number) (wants[0] != (number) + 1 && wants[1] != (number) + 1 && wants[2] != (number) + 1)
#define NOBODY_BEFORE(number) \
  ((!wants[0] || wants[0] > (number)) && (!wants[1] || wants[1] > (number)) && (!wants[2] || wants[2] > (number)))

/* Region::seat() */
inline sit_down() {
  do
  :: atomic { !locked[seat[me]] -> locked[seat[me]] = 1; seated[me] = 1 };
     atomic { lives[seat[me]]++; life[me] = lives[seat[me]]; NEWS; break }
  :: atomic { locked[seat[me]] -> seat[me]++ }
  od
}

#ifdef MARK_DROPPED
#define MARK 0
#else
#define MARK (sv & LOST)
#endif
#ifdef NEVER_TOLD
#define SAY_DIED 0
#else
#define SAY_DIED LOST
#endif

/* The number in `sv` is passed over. */
inline pass(mark) {
  atomic {
#ifdef STORES_SERVING
    if :: true ->
#else
    if :: serving == sv ->
#endif
      assert(NUMBER(serving) == NUMBER(sv) && NOBODY_WANTS(NUMBER(sv)));
      serving = (mark) + NUMBER(sv) + 1;
      NEWS
    :: else
    fi;
    sv = 0
  }
}

#ifdef WAITED_IS_ENTERED
#define HAD_ENTERED(number) true
#else
#define HAD_ENTERED(number) (entered_with == (number) + 1)
#endif

/* TicketLock::pass_over(). By one who waits, or was about to leave, or tries. */
inline pass_over() {
  atomic { fresh[me] = 0; sv = serving };
  atomic { i = 0; if :: next == NUMBER(sv) -> goto in_vain :: else fi };
scan:
  atomic {
    if :: i == SEATS -> goto scanned :: else fi;
    seen = claims[i];
    if
#ifdef DRAWN_ONLY
    :: STATE(seen) == 0 || NUMBER(seen) != NUMBER(sv) -> i++; seen = 0; goto scan
#else
    :: STATE(seen) == 0 || (STATE(seen) != DRAWING && NUMBER(seen) != NUMBER(sv)) -> i++; seen = 0; goto scan
#endif
    :: STATE(seen) == GIVEN_UP && NUMBER(seen) == NUMBER(sv) -> goto given_up
    :: else
    fi
  }
  atomic {                                       /* Region::is_alive() */
#ifndef ANY_LIFE
    if :: lives[i] != LIFE(seen) -> goto dead :: else fi;
#endif
    if :: i == seat[me] -> goto in_vain :: else fi
  }
  atomic { if :: locked[i] -> goto in_vain :: else fi };
dead:
#ifdef CLAIM_CLEARED
  atomic { if :: claims[i] == seen -> claims[i] = 0 :: else -> goto in_vain fi };
#else
#ifndef LOOKS_ONCE
  atomic { if :: claims[i] != seen -> goto in_vain :: else fi };
#endif
#endif
  atomic { if :: STATE(seen) == DRAWN -> entered = HAD_ENTERED(NUMBER(sv)) :: else fi; i++; seen = 0; goto scan };
given_up:
#ifndef PASSES_BLINDLY
  atomic { if :: claims[i] == seen -> claims[i] = 0 :: else -> goto in_vain fi };
#endif
  atomic { given = 1; i++; seen = 0; goto scan };
scanned:
#ifdef UNCLAIMED_DIED
  atomic { if :: !given -> entered = 1 :: else fi };
#endif
#ifdef TOLD_BESIDE
  if :: entered -> beside = 1 :: else fi;
  pass(0);
#else
  if
  :: entered -> pass(SAY_DIED)
  :: else -> pass(MARK)
  fi;
#endif
in_vain:
  atomic { sv = 0; i = 0; entered = 0; given = 0; seen = 0 }
}

/* TicketLock::bury(), of what it finds in its seat. */
inline bury(left) {
  atomic { sv = serving; if :: STATE(left) != DRAWN || NUMBER(left) != NUMBER(sv) -> sv = 0; goto buried :: else fi };
  atomic { if :: HAD_ENTERED(NUMBER(sv)) :: else -> sv = 0; goto buried fi };
#ifdef TOLD_BESIDE
  beside = 1;
  pass(0);
#else
  pass(SAY_DIED);
#endif
buried:
  skip
}

/* TicketLock::draw() */
inline draw() {
  atomic {
    seen = MINE;
    number = NUMBER(seen);
    if
    :: seen == CLAIM(GIVEN_UP, number)
    :: else -> goto anew
    fi
  }
  atomic {
    if
#ifdef RESUMES_BLINDLY
    :: true -> MINE = CLAIM(DRAWN, number); wants[me] = number + 1; seen = 0; goto wait
#else
    :: MINE == seen -> MINE = CLAIM(DRAWN, number); wants[me] = number + 1; seen = 0; goto wait
    :: else -> seen = MINE
#endif
    fi
  }
anew:
#ifndef NOT_BURIED
#ifndef BURIED_LATE
  bury(seen);
#endif
#endif
#ifndef NOT_DRAWING
#ifndef DRAWING_LATE
  atomic { number = 0; MINE = CLAIM(DRAWING, 0); NEWS };
#endif
#endif
#ifdef BURIED_LATE
  bury(seen);
#endif
  atomic { number = next; next++; wants[me] = number + 1; seen = 0 };     /* SYNC POINT: claim */
#ifdef DRAWING_LATE
  MINE = CLAIM(DRAWING, 0);
#endif
  atomic { MINE = CLAIM(DRAWN, number); NEWS }
}

/* TicketLock::try_next(). With the number that is served it has buried nobody: that one is not drawn. */
inline try_lock() {
  sv = serving;
  atomic {
    seen = MINE;
    if
    :: seen == CLAIM(GIVEN_UP, NUMBER(sv)) -> number = NUMBER(sv); MINE = CLAIM(DRAWN, number); wants[me] = number + 1; seen = 0; goto taken
    :: seen != CLAIM(GIVEN_UP, NUMBER(sv)) && seen == CLAIM(GIVEN_UP, NUMBER(seen)) -> goto done
    :: else
    fi
  }
  atomic { if :: next != NUMBER(sv) -> goto done :: else fi };
#ifndef NOT_DRAWING
  atomic { seen = 0; MINE = CLAIM(DRAWING, 0); NEWS };
#endif
  atomic {
    seen = 0;
    if
    :: next == NUMBER(sv) -> number = next; next++; wants[me] = number + 1
    :: else -> goto none
    fi
  }
  atomic { MINE = CLAIM(DRAWN, number); NEWS; goto taken };
none:
  atomic { MINE = 0; NEWS; goto done }
}

inline lock_and_unlock() {
  rounds++;
  if
  :: atomic { true -> patient = 1 }
  :: me < LEAVERS
  :: me < TRIERS -> try_lock()
  fi;
  draw();
wait:
  if
  :: atomic { NUMBER(serving) == number -> sv = serving; goto taken }
#ifndef NO_PASSING
  :: atomic { NUMBER(serving) != number && fresh[me] }; pass_over(); goto wait
#endif
  :: !patient ->                                 /* give_up() */
    atomic { if :: NUMBER(serving) == number -> goto release :: else fi };
    atomic { MINE = CLAIM(GIVEN_UP, number); wants[me] = 0; NEWS; goto done }
  fi;
taken:
#ifdef ENTERS_FIRST
  atomic { inside++; in[me] = 1 };
  entered_with = number + 1;
#else
  entered_with = number + 1;
#endif
  atomic {
    sv = 0;
#ifndef ENTERS_FIRST
    inside++;
    in[me] = 1;
#endif
    assert(inside == 1 && NUMBER(serving) == number && NOBODY_BEFORE(number));
    assert(TOLD || !damaged);
    assert(mourned || !TOLD)
  }
  if
  :: atomic { TOLD -> MADE_WHOLE; damaged = 0; mourned-- }  /* make_consistent() */
  :: true
  fi;
release:
#ifdef CLAIM_FIRST
  MINE = 0;
#endif
  atomic {
    assert(NUMBER(serving) == number);
    if :: in[me] -> inside-- :: else fi;
    in[me] = 0;
    wants[me] = 0;
#ifdef MARK_DROPPED
    serving = number + 1;
#else
    serving = serving + 1;
#endif
    NEWS
  }
#ifndef CLAIM_FIRST
  MINE = 0;
#endif
done:
  atomic { seen = 0; sv = 0; number = 0; patient = 0 }
}

/* Also the kernel's, when a thread has died. */
inline leave(who) { locked[seat[who]] = 0; seated[who] = 0; life[who] = 0; seat[who] = 0; fresh[who] = 0 }

proctype Thread(byte me) {
  byte seen = 0, sv = 0, number = 0, i = 0, rounds = 0;
  bit patient = 0, entered = 0, given = 0;
  do
  :: {
      if :: !seated[me] -> sit_down() :: else fi;
      do
      :: atomic { rounds == ALL_ROUNDS -> if :: leave(me); NEWS :: IDLES fi; goto ended }
      :: rounds < ALL_ROUNDS -> lock_and_unlock()
      od
    } unless {
      atomic {
        killed[me] ->
        killed[me] = 0; seen = 0; sv = 0; number = 0; i = 0; patient = 0; entered = 0; given = 0;
        if
        :: true -> break
        :: COMES_BACK -> rounds = ALL_ROUNDS - 1
        :: COMES_BACK -> rounds = ALL_ROUNDS
        fi
      }
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
    if :: in[who] -> damaged = 1 :: else fi;
    if :: life[who] && STATE(claims[seat[who]]) == DRAWN && entered_with == NUMBER(claims[seat[who]]) + 1 -> mourned++ :: else fi;
    inside = inside - in[who];
    in[who] = 0; wants[who] = 0;
    leave(who);
    NEWS
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
    ALL(life);
    seat[0] = 2; seat[1] = 1;
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
