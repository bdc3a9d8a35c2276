/* Receives that their sender matches by itself, against cancel and against an ordinary match (docs/protocol.md, "Advertised
 * receives"; Core::advertise, retract, take_back, find_posted, on_taken and match_advertised in engine/advert.cc, on_rts, post
 * and unpost in engine/receive.cc, flush_sends and withdraw in engine/send.cc, match::open and decide in engine/match.h). A
 * sender posts messages of one tag, short and long ones, of which long ones may be withdrawn; a receiver posts receives for
 * them, of which the first may be from any source and so is not advertised, and cancels some. Slots are used again, under new
 * generations; descriptions are written word by word before the match word opens.
 *
 * Checked: a message is matched once, or withdrawn, and a receive is matched once, or cancelled; messages meet their receives
 * in order; who copies into a receive's buffer, does so only until the receive is over; and no pair that fits is left unmatched.
 *
 * Mutants, each of which must fail:
 *   CANCEL_ALONE         a cancel, or an ordinary match, clears the advertisement but does not compete for the match word
 *   OPEN_THEN_DESCRIBE   the match word opens before the receive is described
 *   ANY_GENERATION       the sender takes the match word whatever generation opens it
 *   NOT_DRAINED          a sender matches although something of its own is on the way
 *   HEAD_FIRST           the receiver moves its head before it has matched what it read
 *   NOT_FIRST            a receive is advertised that is not the earliest for its messages
 *   SETTLE_AT_MATCH      a receive that its sender has taken is over before the sender says so
 *   WITHDRAW_ALONE       a sender withdraws what it has offered without competing for its match word
 */
#ifndef MESSAGES
#define MESSAGES 3
#endif
#define RECEIVES 3
#define SLOTS 2
#define NONE 255

mtype = { OPEN, MATCHED, WITHDRAWN };              /* match::State */
mtype = { FREE, POSTED, TAKEN, OVER };            /* of a receive */

/* Of the receiver's slots: match word, description; of an advertisement: slot and generation. Generation 0: nothing. */
mtype match_state[SLOTS] = WITHDRAWN;
byte match_generation[SLOTS];
byte described[SLOTS];                            /* the receive whose buffer it is: address and room */
byte described_twice[SLOTS];                      /* its last word: heap offset */
byte advert_slot = 0, advert_generation = 0;

mtype offer[MESSAGES + 1] = OPEN;                 /* match words of the sender's slots */
byte ring[MESSAGES + 1];                          /* the data ring: messages; long ones as envelopes */
byte head = 0, tail = 0;
bit is_short[MESSAGES + 1];
chan unexpected = [MESSAGES] of { byte };
chan to_receiver = [RECEIVES] of { byte };         /* Fin, and the Match before it: of a receive that was taken */

/* What only the checks know. */
mtype receive[RECEIVES + 1] = FREE;
byte met[MESSAGES + 1];                           /* the receive that has matched the message */
bit withdrawn[MESSAGES + 1];
byte latest_message = 0, latest_receive = 0;      /* that were matched */

inline match(m, r) {
  atomic {
    assert(met[m] == 0 && !withdrawn[m]);
    assert(m > latest_message && r > latest_receive);
    met[m] = r;
    latest_message = m;
    latest_receive = r
  }
}

/* ---- the sender */

/* match_advertised() */
inline match_advertised(m) {
  matched = 0;
  if
#ifdef NOT_DRAINED
  :: true ->
#else
  :: head == tail ->
#endif
    atomic { slot = advert_slot; generation = advert_generation }  /* SYNC POINT: advert */
    if
    :: generation != 0 ->
      r = described[slot];
      r_twice = described_twice[slot];
      if
#ifdef ANY_GENERATION
      :: atomic { match_state[slot] == OPEN ->
#else
      :: atomic { match_state[slot] == OPEN && match_generation[slot] == generation ->
#endif
           match_state[slot] = MATCHED; matched = 1 }
      :: else
      fi
    :: else
    fi
  :: else
  fi;
  if
  :: matched ->
    assert(r == r_twice);
    match(m, r);
    assert(receive[r] != OVER);                   /* begins to copy */
    copying[r] = 1
  :: else
  fi;
  atomic { slot = 0; generation = 0; r = 0; r_twice = 0 }
}

#define COPY(r) atomic { copying[r] -> assert(receive[r] != OVER); copying[r] = 0; to_receiver!r }

proctype Sender() {
  bit copying[RECEIVES + 1];
  byte m = 0, w = 1, slot = 0, generation = 0, r = 0, r_twice = 0;
  bit matched = 0;
  do
  :: COPY(1)
  :: COPY(2)
  :: COPY(3)
  :: m < MESSAGES ->
    m++;
    if
    :: is_short[m] = 1
    :: match_advertised(m)
    fi;
    if
    :: !matched -> atomic { ring[tail] = m; tail++ }
    :: else
    fi;
    matched = 0
  :: w <= m ->                                    /* withdraw(), of what was offered, or not */
    if
    :: !is_short[w] && met[w] == 0 ->
#ifdef WITHDRAW_ALONE
      atomic { withdrawn[w] = 1; assert(met[w] == 0) }
#else
      if
      :: atomic { offer[w] == OPEN -> offer[w] = WITHDRAWN; withdrawn[w] = 1; assert(met[w] == 0) }
      :: else
      fi
#endif
    :: true
    fi;
    w++
  :: m == MESSAGES && w > m && !copying[1] && !copying[2] && !copying[3] -> break
  od
}

/* ---- the receiver */

#define EARLIEST(i) (posted[1 - (i)] == 0 || posted[1 - (i)] > posted[i])

inline advertise(i) {
  if
#ifdef NOT_FIRST
  :: posted[i] != 0 && !wild[i] && advertised == NONE ->
#else
  :: posted[i] != 0 && !wild[i] && advertised == NONE && EARLIEST(i) ->
#endif
#ifdef OPEN_THEN_DESCRIBE
    atomic { match_generation[i] = generation[i]; match_state[i] = OPEN }
    atomic { advert_slot = i; advert_generation = generation[i] }
    described[i] = posted[i];
    described_twice[i] = posted[i];
#else
    described[i] = posted[i];
    described_twice[i] = posted[i];
    atomic { match_generation[i] = generation[i]; match_state[i] = OPEN }      /* SYNC POINT: advert */
    atomic { advert_slot = i; advert_generation = generation[i] }
#endif
    advertised = i
  :: else
  fi
}

inline note_taken(i) {
  atomic {
    waits[i] = posted[i];
#ifdef SETTLE_AT_MATCH
    receive[posted[i]] = OVER;
#else
    receive[posted[i]] = TAKEN;
#endif
    posted[i] = 0
  }
}

/* `own`: nobody else matches it from now on. Else it is taken, and waits for Match. */
inline take_back(i) {
  own = 1;
  if
  :: advertised == i ->
    atomic { advert_slot = 0; advert_generation = 0 }
    advertised = NONE;
#ifndef CANCEL_ALONE
    if
    :: atomic { match_state[i] == OPEN -> match_state[i] = WITHDRAWN }
    :: else -> own = 0; note_taken(i)
    fi
#endif
  :: else
  fi
}

/* It is over, its slot free, and the next one advertised. */
inline finish(i) {
  atomic { receive[posted[i]] = OVER; posted[i] = 0 }
  advertise(0);
  advertise(1)
}

inline find_posted() {
  do
  :: posted[0] == 0 && posted[1] == 0 -> found = NONE; break
  :: else ->
    found = ((posted[0] != 0 && EARLIEST(0)) -> 0 : 1);
    take_back(found);
    if
    :: own -> break
    :: else
    fi
  od;
  own = 0
}

/* The message is this rank's: nobody withdraws it any more. */
inline decide(m) {
  won = 0;
  if
  :: atomic { is_short[m] -> won = 1 }
  :: atomic { !is_short[m] && offer[m] == OPEN -> offer[m] = MATCHED; won = 1 }
  :: else
  fi
}

/* drain_data(), one record: on_eager() or on_rts() */
inline drain_one() {
  m = ring[head];
#ifdef HEAD_FIRST
  head++;
#endif
  find_posted();
  if
  :: found == NONE -> unexpected!m
  :: else ->
    decide(m);
    if
    :: won -> match(m, posted[found]); finish(found)
    :: else -> advertise(found)                   /* withdrawn */
    fi
  fi;
#ifndef HEAD_FIRST
  head++;
#endif
  atomic { m = 0; found = 0; won = 0 }
}

/* post_recv_now() into slot i: the first message that is there and still is one, or it is posted. */
inline post(i) {
  atomic { n++; posted[i] = n; receive[n] = POSTED; generation[i]++ }
  if
  :: n == 1 -> wild[i] = 1
  :: wild[i] = 0
  fi;
  do
  :: unexpected?m ->
    decide(m);
    if
    :: won -> match(m, posted[i]); finish(i); break
    :: else
    fi
  :: empty(unexpected) -> advertise(i); break
  od;
  atomic { m = 0; won = 0 }
}

inline on_taken(i) {
  if
  :: advertised == i && posted[i] == r ->
    atomic { advert_slot = 0; advert_generation = 0 }
    advertised = NONE;
    note_taken(i)
  :: else
  fi;
  if
  :: waits[i] == r ->
    atomic { receive[r] = OVER; waits[i] = 0 }
    advertise(0);
    advertise(1)
  :: else
  fi
}

proctype Receiver() {
  byte posted[SLOTS], generation[SLOTS];          /* the receive in that slot */
  byte waits[SLOTS];                              /* the same, taken by its sender */
  bit wild[SLOTS];
  byte n = 0, m = 0, r = 0, found = 0, advertised = NONE;
  bit won = 0, own = 0, cancels = 0;
end:
  do
  :: head < tail -> drain_one()
  :: to_receiver?r -> on_taken(0); on_taken(1); r = 0
  :: n < RECEIVES && posted[0] == 0 && waits[0] == 0 -> post(0)
  :: n < RECEIVES && (posted[0] != 0 || waits[0] != 0) && posted[1] == 0 && waits[1] == 0 -> post(1)
  :: !cancels && posted[0] != 0 -> cancels = 1; take_back(0); if :: own -> finish(0) :: else fi; own = 0
  :: !cancels && posted[1] != 0 -> cancels = 1; take_back(1); if :: own -> finish(1) :: else fi; own = 0
  od
}

byte i = 0;
bit lonely = 0, free_receive = 0;
proctype Monitor() {
  timeout ->
    atomic {
      i = 1;
      do
      :: i > MESSAGES -> break
      :: else -> if :: met[i] == 0 && !withdrawn[i] -> lonely = 1 :: else fi; i++
      od;
      i = 1;
      do
      :: i > RECEIVES -> break
      :: else ->
        assert(receive[i] != TAKEN);
        if :: receive[i] == POSTED -> free_receive = 1 :: else fi;
        i++
      od
    }
    assert(!(lonely && free_receive))
}

init { atomic { run Sender(); run Receiver(); run Monitor() } }
