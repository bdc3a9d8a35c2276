/* A message that its receiver has matched and cannot take (docs/protocol.md, "No memory", SYNC POINT hand-back; match::decide,
 * hand_back, close and taken in engine/match.h, Core::hand_back and claim_unexpected in engine/receive.cc, withdraw in
 * engine/send.cc, Engine::abandon and Core::fail_matched in engine/ends.cc). A message is offered. A receive takes it, stalls,
 * and goes on or hands it back for the next one to take; its sender cancels it, or gives it up.
 *
 * Checked: the sender settles once, and in the end has settled, but for a message that lies there for a receive; nobody
 * copies after it has settled.
 *
 * Mutants, each of which must fail:
 *   BLINDLY       the receiver hands the message back whatever its word says meanwhile
 *   NOT_TOLD      a receiver that finds it closed does not tell the sender
 *   ALWAYS_WAITS  a sender that gives it up does not look whether anybody had it
 *   SECOND_LOOK   a sender that could not withdraw it judges by another look at the word
 */
#define RECEIVES 2   /* at most */

mtype = { OPEN, MATCHED, CLOSED, WITHDRAWN };
mtype word = OPEN;
bit match = 0, fin = 0;           /* on the way to the sender */
bit sender_fin = 0, sender_over = 0;   /* to the receiver */
bit settled = 0, closing = 0, lies_there = 1;

inline finish() { atomic { assert(!settled); settled = 1 } }

/* match::close(); `over`: nobody has it. */
inline close_transfer() {
  sender_over = 1;                /* its claim word */
  atomic { met = word; word = CLOSED }
#ifdef ALWAYS_WAITS
  over = 0;
#else
  over = (met == OPEN);
#endif
  closing = 1;
  if :: over -> finish() :: else fi
}

proctype Sender() {
  mtype met = OPEN;
  bit over = 0, known = 0, cancels = 0, gives_up = 0;
  if :: cancels = 1 :: skip fi;
  if :: gives_up = 1 :: skip fi;
end:
  do
  :: match && !settled ->
    match = 0;
    known = 1;
    if
    :: closing -> sender_fin = 1  /* now it is known whom to tell */
    :: else
    fi
  :: fin && !match ->
    fin = 0;
    if
    :: !settled -> finish()
    :: else
    fi
  :: (cancels || gives_up) && !settled && !known && !closing ->
    /* withdraw() */
    atomic { met = word; if :: word == OPEN -> word = WITHDRAWN :: else fi }
#ifdef SECOND_LOOK
    if :: met != OPEN -> met = word :: else fi;
#endif
    if
    :: met == MATCHED || met == CLOSED ->
      if
      :: gives_up -> gives_up = 0; close_transfer()
      :: else
      fi
    :: else -> finish()
    fi;
    cancels = 0
  :: gives_up && !settled && known && !closing -> gives_up = 0; closing = 1; sender_over = 1; sender_fin = 1
  od
}

proctype Receiver() {
  byte n = 0;
  bit won = 0;
end:
  do
  :: n < RECEIVES && lies_there ->
    n++;
    atomic { won = (word == OPEN); if :: won -> word = MATCHED :: else fi }
    lies_there = 0;
    if
    :: !won                       /* withdrawn: dropped */
    :: won ->                     /* stalls */
      if
      :: match = 1;               /* there was memory after all */
        if
        :: !sender_over -> assert(!settled); assert(!settled)
        :: else
        fi;
        fin = 1
      :: true ->                  /* hand_back() */
#ifdef BLINDLY
        word = OPEN;
        lies_there = 1
#else
        atomic { won = (word == MATCHED); if :: won -> word = OPEN :: else fi }
        if
        :: won -> lies_there = 1
#ifdef NOT_TOLD
        :: else
#else
        :: else -> match = 1; fin = 1
#endif
        fi
#endif
      fi
    fi;
    won = 0
  :: n < RECEIVES && lies_there -> n = RECEIVES   /* none is posted any more */
  :: sender_fin -> sender_fin = 0
  od
}

proctype Monitor() { timeout -> assert(settled || (lies_there && !closing)) }

init { atomic { run Sender(); run Receiver(); run Monitor() } }
