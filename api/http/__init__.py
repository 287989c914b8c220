"""From a request that was read to its answer: who asks, what is asked, and what is answered."""
