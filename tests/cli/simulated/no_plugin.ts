export const plugin = 5;
