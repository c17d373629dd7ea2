from fast_zero.cli import main

main()
