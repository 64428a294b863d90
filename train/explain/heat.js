// The color of a value from -1 to 1.
const heat = share =>
  'rgb(' +
  (share < 0 ? '191 82 20' : '45 105 210') +
  ' / ' +
  (0.12 + 0.88 * Math.min(1, Math.abs(share))).toFixed(3) +
  ')';
