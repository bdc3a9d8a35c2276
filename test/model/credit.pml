/* Eager credit and the order of sends (docs/protocol.md, "Eager"; Core::post_send_now, push_eager and flush_sends in
 * engine/send.cc, take_eager, release_entry and post_recv_now in engine/receive.cc, release_credit in engine/inbound.cc,
 * Engine::revive in engine/ends.cc). A sender posts messages of one block or two; each goes into the ring if there is credit
 * for it, and else as an envelope, which needs none; what finds no room in the ring waits, and all after it. The receiver
 * posts its receives at any time: a message without one lies in the pool of its source until it is received.
 *
 * The pool may still hold messages of a sender's life before this one; what they hold counts as given back less than nothing.
 *
 * Checked: the pool always has the blocks that a message needs; messages are received in their order, all of them; in the
 * end every block is free, and all credit is back.
 *
 * Counts wrap around, as those of the engine would.
 *
 * Mutants, each of which must fail:
 *   OWN_BLOCKS       the sender does not count the blocks of the message itself
 *   AT_ARRIVAL       credit goes back when a message comes, not when it is received
 *   NOT_RETURNED     a message that finds its receive posted gives no credit back
 *   OVERTAKES        a send goes at once though others wait for room
 *   OLD_FORGOTTEN    a sender that comes back has all credit at once
 */
#define MESSAGES 4
#define CREDIT 3
#define ROOM 2      /* records that the ring holds */
#define MODULUS 8   /* of counts of blocks */

mtype = { EAGER, RTS };

chan ring = [ROOM] of { mtype, byte, byte };             /* what, number of the message, blocks */
chan unexpected = [MESSAGES] of { mtype, byte, byte };
byte old = 0;                  /* blocks of an earlier life in the pool */
byte taken = 0;                /* blocks of the pool in use */
byte blocks_sent = 0, blocks_returned = 0;               /* the sender's */
byte blocks_released = 0;                                /* the receiver's, published */
byte received = 0;
byte blocks_of[MESSAGES + 1];

/* blocks_sent - blocks_returned + n > credit? */
#define LEFT(returned) ((blocks_sent + MODULUS - (returned)) % MODULUS)
#ifdef OWN_BLOCKS
#define FITS(n, returned) (LEFT(returned) < CREDIT)
#else
#define FITS(n, returned) (LEFT(returned) + (n) <= CREDIT)
#endif

/* Core::push_eager(); `went`: it did. */
inline push_eager(m) {
  went = 0;
  if
  :: !FITS(blocks_of[m], blocks_returned) ->
    seen = blocks_released;
    if
    :: FITS(blocks_of[m], seen) -> blocks_returned = seen
    :: else
    fi
  :: else
  fi;
  if
  :: FITS(blocks_of[m], blocks_returned) && len(ring) < ROOM ->
    ring!EAGER, m, blocks_of[m];
    blocks_sent = (blocks_sent + blocks_of[m]) % MODULUS;
    went = 1
  :: else
  fi;
  seen = 0
}

/* Core::flush_sends(): what is queued, in order, as far as there is room. */
inline flush_sends() {
  do
  :: pushed == posted || len(ring) == ROOM -> break
  :: else ->
    push_eager(pushed + 1);
    if
    :: went -> pushed++
    :: !went && len(ring) < ROOM -> ring!RTS, pushed + 1, blocks_of[pushed + 1]; pushed++
    :: else -> break
    fi
  od
}

proctype Sender() {
  byte posted = 0, pushed = 0, seen = 0;
  bit went = 0;
  do
  :: posted < MESSAGES ->
    if
    :: blocks_of[posted + 1] = 1
    :: blocks_of[posted + 1] = 2
    fi;
    posted++;
#ifdef OVERTAKES
    push_eager(posted);
    if
    :: !went -> flush_sends()
    :: went && pushed == posted - 1 -> pushed++
    :: else -> posted--
    fi
#else
    flush_sends()
#endif
  :: pushed < posted && len(ring) < ROOM -> flush_sends()     /* the receiver has made room (want_space.pml) */
  :: pushed == MESSAGES -> break
  od
}

/* Core::release_entry(): the blocks are free, and then the credit goes back. */
inline release_entry(blocks) {
  taken = taken - blocks;
#ifndef AT_ARRIVAL
  blocks_released = (blocks_released + blocks) % MODULUS
#endif
}

inline receive(m) { assert(m == received + 1); received++ }

proctype Receiver() {
  byte posted = 0, waiting = 0, m = 0, blocks = 0;
  mtype what = EAGER;
end:
  do
  :: ring?what, m, blocks ->
    if
    :: waiting > 0 ->                    /* straight into the buffer of a posted receive */
      waiting--;
      receive(m);
#ifndef NOT_RETURNED
      if
      :: what == EAGER -> blocks_released = (blocks_released + blocks) % MODULUS
      :: else
      fi
#endif
    :: else ->
      if
      :: what == EAGER ->
        taken = taken + blocks;
        assert(taken <= CREDIT);         /* else the sender is faulty */
#ifdef AT_ARRIVAL
        blocks_released = (blocks_released + blocks) % MODULUS
#endif
      :: else
      fi;
      unexpected!what, m, blocks
    fi
  :: posted < MESSAGES ->                /* post_recv_now() */
    posted++;
    if
    :: unexpected?what, m, blocks ->
      receive(m);
      if
      :: what == EAGER -> release_entry(blocks)
      :: else
      fi
    :: empty(unexpected) -> waiting++
    fi
  :: old > 0 -> release_entry(1); old--  /* somebody receives what an earlier life has sent */
  od
}

proctype Monitor() {
  timeout ->
    assert(received == MESSAGES && taken == 0);
    assert(blocks_released == blocks_sent)
}

init {
  atomic {
    if :: old = 0 :: old = 1 :: old = 3 fi;
    taken = old;
#ifndef OLD_FORGOTTEN
    blocks_released = (MODULUS - old) % MODULUS;         /* revive() */
    blocks_returned = blocks_released;
#endif
    run Sender();
    run Receiver();
    run Monitor()
  }
}
