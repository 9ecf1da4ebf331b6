"""What can be said of a part: is it there, is none to be seen, or can nothing be said?"""

FOUND, NONE_SEEN, NOT_ESTIMABLE = "found", "none seen", "not estimable here"
