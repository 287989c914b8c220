"""The project's own goals for reliability, measured with the production actors.

goals.py          the goals: their cells and rows
limits.py         what is promised
cell.py           cells, rows, and what may be said of them
building.py       the building that they are measured in
single_orders.py  one order at a time
dark_lights.py    orders to lights without power
pushes.py         one order to everybody
measured.py       runs cells on all cores, prints and keeps rows
"""
