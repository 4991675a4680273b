"""What browsers send: forms, signed values, and text that can be stored and seen."""
