"""The programme: its chapters and what is answered there."""
