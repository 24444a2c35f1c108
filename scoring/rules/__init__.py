"""Which dated factor or benchmark is in force, by the local date of the site."""
