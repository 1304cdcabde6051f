"""How many pairs there will be, estimated from drawn images, and when that is too many."""
