/** A number as requests say it; `Number` takes blanks and `0x10` as well, a cast of SQL `1_000` and `inf`. */
export const NUMBER_PATTERN = '-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?';
