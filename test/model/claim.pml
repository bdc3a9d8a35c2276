/* Who copies which chunk, and how a transfer ends (docs/protocol.md, "Rendezvous" and "Closing a transfer"; engine/claim.h;
 * Core::claim_next, copy_next, conclude, close_transfer and on_fin in engine/transfer.cc, on_match in engine/send.cc,
 * Engine::abandon and lose_peer in engine/ends.cc). A rendezvous has been matched; its Match is on the way. Both ends claim
 * chunks and copy them, each with a claim word that it alone writes: how many chunks it has claimed, whether it is inside a
 * copy, whether it copies no more. The receiver takes chunks from the front, the sender from the back. Either end gives the
 * transfer up at any time (abort, close), or fails to copy a chunk, or is killed, also inside a copy. An end that is over
 * uses its slot, and its claim word, for something else.
 *
 * Checked: an end settles once; nobody copies from or to a buffer whose end has settled; who settles without an error has a
 * whole message; in the end both have settled, but for one that was killed.
 *
 * CHUNKS=1: who matches copies the only chunk at once, unannounced, and no Match travels.
 * FORGED: a third rank may have written to the match word, so a sender that gives up before it has heard Match believes that
 * nobody has its message. What the receiver alone can write tells it better: a Match in the ring, and Inbound::copying.
 *
 * Mutants, each of which must fail:
 *   SETTLE_AT_CLOSE   who closes does not wait for the other end that is inside a copy
 *   SETTLE_BESIDE     who sees that all is claimed settles although the other end is inside a copy
 *   NOT_OVER          who gives up does not say so before it looks
 *   LOOK_THEN_CLAIM   who claims looks at the other's word before it has written its own, and not after
 *   OVER_UNSEEN       who claims does not look whether the other end has given up
 *   YIELD_SILENTLY    who gives a claim back does not look whether all is copied
 *   COUNT_THEN_COPY   an end leaves before it has copied
 *   READ_THEN_LEAVE   an end reads the other's word before it says that it has left
 *   NO_MATCH_NEEDED   a sender that closes before Match came settles, though it does not know what to look at
 *   NO_ANSWER         who hears that the other end has given up does not say that it has let go
 *   ANY_GENERATION    a claim does not look whose word it is
 *   FIN_ALWAYS        a Fin settles whatever is in that slot
 * and with FORGED:
 *   WORD_BELIEVED     the match word is all that is asked
 *   MATCH_UNASKED     it is not asked whether Match lies in the ring,
 *   COPYING_UNASKED   or not whether the receiver copies
 *   NOT_OVER          as above
 *   NOT_DISOWNED      a Match for a send that is over is not answered
 */
#ifndef CHUNKS
#define CHUNKS 2
#endif
#define SENDER 0
#define RECEIVER 1
#define OTHER (1 - me)

mtype = { OFFERED, ACTIVE, CLOSING, DONE };           /* SlotState */
mtype = { NOTHING, WELL, FAILED };                    /* Fin and its error */

/* PublicSlot::claim; `anew`: of another generation. */
byte count[2];
bit inside[2], over[2], anew[2];
bit match = 0;                     /* on the way to the sender */
bit copying = 0;                   /* the receiver copies, and has not said Match */
mtype fin[2] = NOTHING;            /* on the way to that end */
bit dead[2];

/* What only the checks know. */
bit settled[2];
bit whole[CHUNKS];                 /* chunks that are copied */
byte k;

inline finish(error) {
  atomic {
    assert(!settled[me]);
    k = 0;
    do
    :: k < CHUNKS -> assert(error || whole[k]); k++
    :: else -> break
    od;
    k = 0;
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

/* The other end's word. Another generation: it has let go. */
inline look() {
  atomic {
#ifdef ANY_GENERATION
    seen = count[OTHER]; in = inside[OTHER]; out = over[OTHER]
#else
    seen = count[OTHER]; in = (inside[OTHER] && !anew[OTHER]); out = (over[OTHER] || anew[OTHER])
#endif
  }
}

inline forget() { atomic { seen = 0; in = 0; out = 0 } }

/* This end is not inside any more. If all is copied, and nobody inside, it settles. */
inline conclude() {
  look();
  if
#ifdef SETTLE_BESIDE
  :: !out && claimed + seen >= CHUNKS ->
#else
  :: !in && !out && claimed + seen >= CHUNKS ->
#endif
    finish(0);
    owe_fin(WELL)
  :: else
  fi;
  forget()
}

/* SYNC POINT: claim. Each says that it is inside, or gives up, then looks at the other's word. Of two that claim the last
 * chunk both may give it back, and look again. */
inline claim_next() {
  got = 0;
  do
  :: true ->
    look();
    if
    :: out || claimed + seen >= CHUNKS -> break
    :: else
    fi;
    claimed++;
#ifdef LOOK_THEN_CLAIM
    look();
    atomic { count[me] = claimed; inside[me] = 1 };
#else
    atomic { count[me] = claimed; inside[me] = 1 };
    look();
#endif
    if
#ifdef OVER_UNSEEN
    :: claimed + seen > CHUNKS ->
#else
    :: out || claimed + seen > CHUNKS ->
#endif
      claimed--;
      atomic { count[me] = claimed; inside[me] = 0 };
#ifndef YIELD_SILENTLY
      conclude();
      if
      :: state != ACTIVE -> break
      :: else
      fi
#endif
    :: else -> got = 1; break
    fi
  od;
  forget()
}

#define INTACT assert((dead[0] || !settled[0]) && (dead[1] || !settled[1]))

inline copy_next() {
  if
  :: owes_match -> copying = 1
  :: else
  fi;
  claim_next();
  if
  :: got ->
#ifdef COUNT_THEN_COPY
    inside[me] = 0;
#endif
    INTACT;
    if
    :: true ->
      atomic { INTACT; whole[(me == RECEIVER -> claimed - 1 : CHUNKS - claimed)] = 1 }
#ifdef READ_THEN_LEAVE
      look();
      inside[me] = 0;
      if
      :: !in && !out && claimed + seen >= CHUNKS -> finish(0); owe_fin(WELL)
      :: else
      fi;
      forget()
#else
      inside[me] = 0;
      said_no_more();
      conclude()
#endif
    :: failures == 0 ->                /* the copy failed */
      failures++;
      claimed--;
      atomic { count[me] = claimed; inside[me] = 0; over[me] = 1 };
      said_no_more();
      close_transfer()
    fi;
    got = 0
  :: else -> said_no_more()
  fi
}

inline said_no_more() {
  if
  :: me == RECEIVER -> copying = 0
  :: else
  fi
}

inline received_after_all() {
#if !defined(WORD_BELIEVED) && !defined(COPYING_UNASKED)
  in = copying;
#endif
#if !defined(WORD_BELIEVED) && !defined(MATCH_UNASKED)
  if
  :: match -> in = 1
  :: else
  fi
#else
  skip
#endif
}

inline close_transfer() {
  told = !known;
#ifndef NOT_OVER
  over[me] = 1;                        /* SYNC POINT: claim */
#endif
#ifdef NO_MATCH_NEEDED
  look();
#else
  if
  :: known -> look()
  :: else ->
#ifdef FORGED
    if
    :: in = 1
    :: in = 0; received_after_all()
    fi
#else
    in = 1
#endif
  fi;
#endif
#ifdef SETTLE_AT_CLOSE
  in = 0;
#endif
  state = CLOSING;
  if
  :: !told -> owe_fin(FAILED)
  :: else
  fi;
  if
  :: !in -> finish(1)
  :: else
  fi;
  atomic { told = 0; seen = 0; in = 0; out = 0 }
}

/* One chunk, by who has matched and not said so: nobody else can claim it. */
inline copy_whole() {
  copying = 1;                         /* SYNC POINT: claim */
  look();
  if
  :: out -> copying = 0                /* it waits for Match, or Fin */
  :: else ->
    INTACT;
    if
    :: true ->
      atomic { INTACT; whole[0] = 1 }
      copying = 0;
      finish(0);
      owe_fin(WELL)
    :: failures == 0 -> failures++; copying = 0; close_transfer()
    fi
  fi;
  forget()
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
  bit known, owes_match = 0, gives_up = 0, got = 0, in = 0, out = 0, told = 0, renewed = 0, works = 1;
  byte claimed = 0, seen = 0;
  {
    if :: gives_up = 1 :: skip fi;
    if
    :: me == SENDER -> state = OFFERED; known = 0
    :: else ->                           /* start_receiving() */
      state = ACTIVE;
      known = 1;
#if CHUNKS == 1
      copy_whole();
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
#if defined(FORGED) && !defined(NOT_DISOWNED)
      :: state == DONE && !known -> fin[OTHER] = FAILED
#endif
      :: else
      fi
    /* Records come in the order of their ring. */
    :: fin[me] != NOTHING && !(me == SENDER && match) -> on_fin()
    :: owes_match -> match = 1; owes_match = 0
    :: state == ACTIVE && works ->       /* advance() */
      look();
      if
      :: out || claimed + seen >= CHUNKS -> works = 0; forget()   /* what is left is in the other's hands */
      :: else -> forget(); copy_next()
      fi
    :: (state == ACTIVE || state == OFFERED) && gives_up -> gives_up = 0; close_transfer()
    :: state == DONE && !renewed ->      /* the next one in this slot */
      renewed = 1;
      atomic { anew[me] = 1; over[me] = 0; count[me] = 0 }
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
