// The participants' colours: far enough apart to be told from each other after two lossy encoders.
export const palette = {
  black: [0, 0, 0],
  red: [205, 40, 40],
  green: [30, 160, 60],
  blue: [40, 70, 215],
  yellow: [225, 200, 40],
  magenta: [200, 50, 190],
  cyan: [40, 190, 205],
  white: [255, 255, 255],
};
