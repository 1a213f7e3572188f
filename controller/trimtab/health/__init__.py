"""Live objects flow in, their health in the words of kstatus flows out; the loop and report read it."""
