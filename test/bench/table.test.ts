import { formatBytes, formatNumber, renderTable } from '../../bench/lib/table.js';

describe('tables', () => {
  test('the first column is aligned to the left, figures to the right', () => {
    const table = renderTable(
      ['µs', '8 B'],
      [
        ['ours', '0.500'],
        ['a longer name', '10.0'],
      ],
    );
    expect(table.split('\n')).toEqual([
      'µs               8 B',
      '────────────────────',
      'ours           0.500',
      'a longer name   10.0',
    ]);
  });

  test('a missing cell leaves its place empty', () => {
    expect(renderTable(['', 'a', 'b'], [['x', '1']]).split('\n')[2]).toBe('x  1');
  });

  test('figures have three significant digits', () => {
    expect([0.0571, 0.5, 1.234, 12.34, 123.4, 12_345.6, -0.021].map(formatNumber)).toEqual([
      '0.057',
      '0.500',
      '1.23',
      '12.3',
      '123',
      '12,346',
      '-0.021',
    ]);
  });

  test('lengths are in binary units', () => {
    expect([0, 8, 1024, 65536, 1 << 20, 1 << 24, 1536].map(formatBytes)).toEqual([
      '0 B',
      '8 B',
      '1 KiB',
      '64 KiB',
      '1 MiB',
      '16 MiB',
      '1.50 KiB',
    ]);
  });
});
