/** Number of windows of which `diff` compares the costs unless the caller says otherwise. Each takes two downloads. */
export const mostWindows = 50;
