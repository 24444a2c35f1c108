"""What each command does that is more than a call: `cli` names them, these do them."""
