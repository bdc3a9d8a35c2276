import { availabilities } from '../../bench/availability.js';
import { overlaps } from '../../bench/madmpi.js';

describe('availability', () => {
  test('is what of a transfer alone its host does not spend on it', () => {
    expect(availabilities({ base: [100], alone: [200], iter: [200, 250, 300] })).toEqual([1, 0.5, 0]);
  });

  test('takes medians of what it compares with', () => {
    expect(availabilities({ base: [100, 100, 900], alone: [5, 200, 200], iter: [210] })).toEqual([0.9]);
  });
});

describe("MadMPI's overlap", () => {
  const lat0 = 1;

  test('of a computation as long as the transfer is 0 if all is hidden, and 1 if one follows the other', () => {
    expect(overlaps({ lat0, latref: 100, compute: 100, rtt: [101, 151, 201] })).toEqual([0, 0.5, 1]);
  });

  test('of a shorter computation is what of it adds to the transfer', () => {
    expect(overlaps({ lat0, latref: 100, compute: 50, rtt: [101, 126, 151] })).toEqual([0, 0.5, 1]);
  });

  test('has no negative times', () => {
    expect(overlaps({ lat0, latref: 10, compute: 5, rtt: [0.5] })).toEqual([-2]);
  });
});
