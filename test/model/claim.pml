/* The claim word, and how a transfer ends (docs/protocol.md, "Rendezvous" and "Closing a transfer"; open, take and close in
 * engine/claim.h; Core::copy_next, settle, other_end_done, close_transfer and on_fin in engine/transfer.cc, on_match in
 * engine/send.cc, Engine::abandon and lose_peer in engine/ends.cc). A rendezvous has been matched; its Match is on the way.
 * Both ends claim chunks and copy them; either gives the transfer up at any time (abort, close), or fails to copy a chunk, or
 * is killed, also inside a copy. An end that is over takes its slot, and the sender its claim word, for something else.
 *
 * Checked: an end settles once; nobody copies from or to a buffer whose end has settled; who settles without an error has a
 * whole message; in the end both have settled, but for one that was killed.
 *
 * CHUNKS=1: who matches copies the only chunk at once, and no Match travels.
 *
 * Mutants, each of which must fail:
 *   SETTLE_AT_CLOSE   who closes does not wait for what the other end has claimed
 *   COUNT_THEN_COPY   an end counts a chunk before it has copied it
 *   READ_THEN_COUNT   an end reads the other's count before it adds to its own
 *   NO_MATCH_NEEDED   a sender that closes before Match came settles, though it does not know what to look at
 *   NO_ANSWER         who hears that the other end has given up does not say that it has let go
 *   CLAIM_CLOSED      a claim does not look whether the word is closed
 *   ANY_GENERATION    a claim does not look whose word it is
 *   FIN_ALWAYS        a Fin settles whatever is in that slot
 */
#ifndef CHUNKS
#define CHUNKS 2
#endif
#define SENDER 0
#define RECEIVER 1
#define OTHER (1 - me)

mtype = { OFFERED, ACTIVE, CLOSING, DONE };           /* SlotState */
mtype = { MOVING, CLOSED };                           /* claim::State */
mtype = { NOTHING, WELL, FAILED };                    /* Fin and its error */

mtype word_state = MOVING;
byte word_next = 0;
bit word_anew = 0;                 /* another generation */
byte done[2];                      /* PublicSlot::done */
bit done_anew[2];
bit match = 0;                     /* on the way to the sender */
mtype fin[2] = NOTHING;            /* on the way to that end */
bit dead[2];

/* What only the checks know. */
bit settled[2];
byte whole = 0;                    /* chunks that are copied */

inline finish(error) {
  atomic {
    assert(!settled[me]);
    assert(error || whole == CHUNKS);
    settled[me] = 1;
    state = DONE
  }
}

/* The Match lies before it in the same ring. */
inline owe_fin(error) {
  if
  :: owes_match -> match = 1; owes_match = 0
  :: else
  fi;
  fin[OTHER] = error
}

/* Core::other_end_done(); another generation: it has let go. */
inline other_end_done(in_all) {
#ifdef NO_MATCH_NEEDED
  over = !known || done_anew[OTHER] || done[OTHER] == in_all - claimed
#else
  over = known && (done_anew[OTHER] || done[OTHER] == in_all - claimed)
#endif
}

/* claim::close(), then who settles */
inline close_transfer() {
  told = !known;
  do
  :: atomic { word_anew -> over = 1 } -> break
  :: atomic { !word_anew -> word_state = CLOSED; in_all = word_next };
#ifdef SETTLE_AT_CLOSE
    over = 1;
#else
    other_end_done(in_all);
#endif
    break
  od;
  state = CLOSING;
  if
  :: !told -> owe_fin(FAILED)
  :: else
  fi;
  if
  :: over -> finish(1)
  :: else
  fi;
  atomic { over = 0; told = 0; in_all = 0 }
}

/* claim::take(): reads the word, then exchanges it for the next. */
inline take() {
  got = 0;
  do
  :: true ->
    atomic { seen = word_next; fits = (word_state == MOVING && !word_anew) }
#ifdef CLAIM_CLOSED
    atomic { fits = !word_anew }
#endif
#ifdef ANY_GENERATION
    atomic { fits = (word_state == MOVING) }
#endif
    if
    :: !fits || seen >= CHUNKS -> break
    :: else
    fi;
    if
#if defined(ANY_GENERATION)
    :: atomic { word_next == seen && word_state == MOVING -> word_next++; got = 1 } -> break
#elif defined(CLAIM_CLOSED)
    :: atomic { word_next == seen && !word_anew -> word_next++; got = 1 } -> break
#else
    :: atomic { word_next == seen && word_state == MOVING && !word_anew -> word_next++; got = 1 } -> break
#endif
    :: else
    fi
  od;
  atomic { seen = 0; fits = 0 }
}

#define INTACT assert((dead[0] || !settled[0]) && (dead[1] || !settled[1]))

inline copy_next() {
  take();
  if
  :: got ->
    claimed++;
#ifdef COUNT_THEN_COPY
    done[me]++;
#endif
    INTACT;
    if
    :: true ->
      atomic { INTACT; whole++ }
      copied++;
#ifdef READ_THEN_COUNT
      sum = copied + (done_anew[OTHER] -> 0 : done[OTHER]);
      done[me]++;                        /* SYNC POINT: done */
#else
#ifndef COUNT_THEN_COPY
      done[me]++;                        /* SYNC POINT: done */
#endif
      sum = copied + (done_anew[OTHER] -> 0 : done[OTHER]);
#endif
      if
      :: sum == CHUNKS -> finish(0); owe_fin(WELL)
      :: else
      fi
    :: failures == 0 -> failures++; copied++; close_transfer()   /* the copy failed */
    fi;
    atomic { sum = 0; got = 0 }
  :: else
  fi
}

inline on_fin() {
  atomic { error = fin[me]; fin[me] = NOTHING }
  if
  :: state == CLOSING -> finish(1)
  :: state == OFFERED || state == ACTIVE ->
    if
    :: error == WELL -> finish(0)
    :: else ->
      finish(1);
#ifndef NO_ANSWER
      if
      :: known -> owe_fin(FAILED)
      :: else
      fi
#endif
    fi
#ifdef FIN_ALWAYS
  :: else -> finish(1)
#else
  :: else
#endif
  fi;
  error = NOTHING
}

byte failures = 0;

proctype End(bit me) {
  mtype state, error = NOTHING;
  bit known, owes_match = 0, gives_up = 0, got = 0, fits = 0, over = 0, told = 0, anew = 0;
  byte claimed = 0, copied = 0, seen = 0, in_all = 0, sum = 0;
  {
    if :: gives_up = 1 :: skip fi;
    if
    :: me == SENDER -> state = OFFERED; known = 0
    :: else ->                           /* start_receiving() */
      state = ACTIVE;
      known = 1;
#if CHUNKS == 1
      copy_next();
#endif
      owes_match = (state == ACTIVE)
    fi;
end:
    do
    :: me == SENDER && match ->          /* on_match() */
      match = 0;
      if
      :: state == OFFERED -> known = 1; state = ACTIVE
      :: state == CLOSING && !known -> known = 1; close_transfer()
      :: else
      fi
    /* Records come in the order of their ring. */
    :: fin[me] != NOTHING && !(me == SENDER && match) -> on_fin()
    :: owes_match -> match = 1; owes_match = 0
    :: state == ACTIVE && word_next < CHUNKS && word_state == MOVING -> copy_next()
    :: (state == ACTIVE || state == OFFERED) && gives_up -> gives_up = 0; close_transfer()
    :: state == DONE && !anew ->         /* the next one in this slot */
      anew = 1;
      done_anew[me] = 1;
      if
      :: me == SENDER -> atomic { word_anew = 1; word_next = 0; word_state = MOVING }
      :: else
      fi
    :: dead[OTHER] && state != DONE && fin[me] == NOTHING && !(me == SENDER && match) -> finish(1)   /* lose_peer() */
    od
  } unless { dead[me] }
}

/* Kills one of them, anywhere. */
proctype Death() {
  if
  :: dead[SENDER] = 1
  :: dead[RECEIVER] = 1
  :: skip
  fi
}

proctype Monitor() { timeout -> assert((settled[0] || dead[0]) && (settled[1] || dead[1])) }

init { atomic { run End(SENDER); run End(RECEIVER); run Death(); run Monitor() } }
