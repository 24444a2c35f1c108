"""`greengauge bench`: programs that print figures, beside a rival's from the same run with the same answers checked."""
