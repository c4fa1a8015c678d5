/** Default number of windows whose costs `diff` compares. Each takes two downloads. */
export const mostWindows = 50;
