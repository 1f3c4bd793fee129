//! Product feeds and customer lists, row by row in bounded memory.
