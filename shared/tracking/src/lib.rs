//! Segment’s tracking API, said in the words of our own.
