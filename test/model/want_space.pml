/* The full ring (engine/ring.h, SYNC POINT want-space): a producer that finds no room says so and looks again; a
 * consumer that has made room looks whether somebody waits for it. Checked: the producer never stays stuck, that is,
 * all records arrive. The ring holds ROOM records.
 *
 * Mutants, each of which must fail:
 *   NO_SECOND_LOOK    the producer does not look again after saying so
 *   READ_THEN_MOVE    the consumer reads the flag before it moves the head
 */
#ifndef RECORDS
#define RECORDS 5
#endif
#define ROOM 2

byte head = 0, tail = 0;
bit want = 0;
bit to_producer = 0, to_consumer = 0;  /* notices */

proctype Producer() {
  bit wanting = 0;
  byte seen;
  do
  :: tail == RECORDS -> break
  :: tail < RECORDS ->
    seen = head;
    if
    :: tail - seen < ROOM -> tail++; to_consumer = 1
    :: else ->
      if
      :: !wanting ->
        want = 1;
        wanting = 1;
#ifndef NO_SECOND_LOOK
        seen = head;
        if
        :: tail - seen < ROOM -> goto again
        :: else
        fi;
#endif
      :: else
      fi;
      to_producer;                     /* waits for a notice */
      to_producer = 0;
again:
      skip
    fi
  od
}

proctype Consumer() {
  byte seen;
  bit waits;
  do
  :: head == RECORDS -> break
  :: else ->
    to_consumer;
    to_consumer = 0;
    seen = tail;
    if
    :: seen != head ->
#ifdef READ_THEN_MOVE
      waits = want;
      head = seen;
#else
      head = seen;
      waits = want;
#endif
      if :: waits -> to_producer = 1 :: else fi
    :: else
    fi
  od
}

init { atomic { run Producer(); run Consumer() } }
