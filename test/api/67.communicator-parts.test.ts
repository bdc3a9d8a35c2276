// The parts communicators are made of: contexts and ids, and what ranks tell each other, whatever they are told.
import { contextFor, contextOfPurpose, Ids, identify, isId, PURPOSES } from '../../lib/context.js';
import { answerBytes, decodeAnswer, decodeWish, encode, WISH_BYTES } from '../../lib/derive-wire.js';
import { Group } from '../../lib/group.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const protocol = expect.objectContaining({ code: 'ERR_UINTR_PROTOCOL' });

describe('ids', () => {
  it('1. of different ranks differ, and are used again only when they were given back', () => {
    const [one, two] = [new Ids(0), new Ids(1023)];
    const taken = Array.from({ length: 100 }, () => [one.take()!, two.take()!]).flat();
    expect(new Set(taken).size).toBe(200);
    expect(taken.every((id, i) => id < 2 ** 29 && isId(id, i % 2 === 0 ? 0 : 1023))).toBe(true);
    expect(isId(taken[0], 1023) || isId(taken[1], 0) || isId(0, 0)).toBe(false);
    one.give(taken[0]!);
    expect(one.take()).toBe(taken[0]);
    expect(one.take()).not.toBe(taken[0]);
  });

  it('2. are exhausted at last', () => {
    const ids = new Ids(5);
    let count = 0;
    while (ids.take() !== undefined) count += 1;
    expect(count).toBe(2 ** 19 - 1);
  });

  it('3. and purposes can be told from a context, none of which is shared', () => {
    const contexts = [0, 1, 2 ** 19, 2 ** 29 - 1].flatMap((id) =>
      PURPOSES.map((purpose) => {
        const context = contextOfPurpose(contextFor(id), purpose);
        expect(identify(context)).toEqual({ id, purpose });
        expect(context).toBeLessThan(2 ** 32);
        return context;
      }),
    );
    expect(new Set(contexts).size).toBe(contexts.length);
  });
});

describe('a wish', () => {
  const wish = { kind: 'split', color: 3, key: -7, id: 5, life: 2 } as const;

  it('4. arrives as it was', () => {
    expect(decodeWish(encode(wish), 0)).toEqual(wish);
    expect(decodeWish(encode({ ...wish, color: null }), 0)).toEqual({ ...wish, color: null });
  });

  it.each([
    '',
    '{',
    '7',
    'null',
    '{}',
    '[]',
    '{"failure":1}',
    '{"failure":{"code":"x","message":"y"}}',
    '{"kind":"free","color":1,"key":1,"id":5,"life":0}',
    '{"kind":"dup","color":"1","key":1,"id":5,"life":0}',
    '{"kind":"dup","color":1,"key":1.5,"id":5,"life":0}',
    '{"kind":"dup","color":1,"key":1,"id":0,"life":0}',
    '{"kind":"dup","color":1,"key":1,"id":524288,"life":0}',
    '{"kind":"dup","color":1,"key":1,"id":5}',
  ])('5. that no rank makes is refused (%s)', (text) => {
    expect(() => decodeWish(bytes(text), 0)).toThrow(protocol);
  });
});

describe('an answer', () => {
  const parent = Group.of([4, 2, 0, 9], 2);

  it('6. arrives as it was', () => {
    const answer = { id: 9 * 2 ** 19 + 3, members: [9, 2], lives: [0, 1] };
    expect(decodeAnswer(encode(answer), parent)).toEqual(answer);
    expect(decodeAnswer(encode({ id: -1, members: [], lives: [] }), parent)).toEqual({
      id: -1,
      members: [],
      lives: [],
    });
  });

  it.each([
    '{"id":1}',
    '{"id":1,"members":[2,2],"lives":[0,0]}',
    '{"id":1,"members":[2,3],"lives":[0,0]}',
    '{"id":1,"members":[2,-1],"lives":[0,0]}',
    '{"id":1,"members":[2,"0"],"lives":[0,0]}',
    '{"id":2097153,"members":[4,0],"lives":[0,0]}',
    '{"id":1,"members":[2,0],"lives":[0,0]}',
    '{"id":"2097153","members":[2],"lives":[0]}',
    '{"id":1048577,"members":[2]}',
    '{"id":1048577,"members":[2],"lives":[0,0]}',
    '{"id":1048577,"members":[2],"lives":["0"]}',
    '{"failure":{}}',
  ])('7. that no rank 0 gives is refused (%s)', (text) => {
    expect(() => decodeAnswer(bytes(text), parent)).toThrow(protocol);
  });

  it('8. fits the buffer for it, whatever it says', () => {
    const members = Array.from({ length: 1024 }, (_, rank) => rank);
    const lives = members.map(() => 2 ** 32 - 1);
    expect(encode({ id: 2 ** 29, members, lives }).length).toBeLessThanOrEqual(answerBytes(1024));
    const failure = { code: 'ERR_UINTR_INVALID_ARGUMENT', message: '\u0001'.repeat(500), peer: 1023 } as const;
    expect(encode({ failure }).length).toBeLessThanOrEqual(WISH_BYTES);
  });
});
