//! Published test vectors, run through lukko's own rooms. All of it is tests; `README.md` says what ran and what it
//! shows.
