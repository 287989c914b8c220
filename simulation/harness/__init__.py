"""`lamplighter simulate`: the production actors in a world of faults, in virtual time, from a seed.

The actors are the production ones, unchanged; their clock, store, network and randomness come from
here, through the ports that they have anyway. One seed gives one trace.

    scenario.py        what a seed means: the world, its faults, the people; the swarm
    run.py             one run of a scenario, from the first power-on to quiet
    process.py         the service as its service manager sees it: started, killed, started again
    people.py          who commands the lights
    fault_injector.py  crashes injected into actors, faults into the store
    oracle.py          compares what the service says with what is true, at every step
    watched.py         both at the actors' hooks and in front of the network server
    facts.py           what the oracle knows of each light and command
    invariants.py      the promises themselves, as pure functions
    quiet.py           what must hold once nothing goes wrong any more
    trace.py           the hash by which two runs are compared, and the last events of a light
    determinism.py     Trio with a seeded scheduler and virtual time
    campaign.py        many seeds, on all cores
    report.py          what is printed
"""
