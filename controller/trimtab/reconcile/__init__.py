"""The loop: takes keys from the work queue, asks the pure stages what to do, and has the ports do it."""
