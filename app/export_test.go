package app

// Echo is exported for tests that send one signal after another.
const Echo = echo
